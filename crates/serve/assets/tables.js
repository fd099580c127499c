// Tables that are sorted by a click on a column's name. Which one is sorted, and how, stands in the
// address: `sort=PART.TABLE.COLUMN.up`.

function tables() {
  const all = [];
  for (const part of document.querySelectorAll('main [data-part]')) {
    const inside = Array.from(part.querySelectorAll('table')).filter((table) => !table.closest('.numbers'));
    inside.forEach((table, place) => all.push([part.dataset.part + '.' + place, table]));
  }
  return all.filter(([, table]) => table.tBodies[0] && table.tBodies[0].rows.length > 1);
}

function number(text) {
  const plain = text.replace(/−/g, '-').replace(/,/g, '').trim();
  const found = plain.match(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i);
  return found ? +found[0] : NaN;
}

function order(a, b) {
  const [one, other] = [number(a), number(b)];
  if (!Number.isNaN(one) && !Number.isNaN(other)) return one - other;
  // What is missing stands last, whichever way.
  if (Number.isNaN(one) !== Number.isNaN(other)) return Number.isNaN(one) ? 1 : -1;
  return a.localeCompare(b, 'en', { numeric: true });
}

// Puts the buttons there, and the rows in order.
export function sorted() {
  const [part, place, column, way] = (new URLSearchParams(location.search).get('sort') ?? '').split('.');
  for (const [name, table] of tables()) {
    const head = table.tHead.rows[0];
    Array.from(head.cells).forEach((cell, at) => {
      if (!cell.querySelector('button') && cell.textContent) {
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'sort';
        button.textContent = cell.textContent;
        cell.replaceChildren(button);
      }
      const isThis = name === part + '.' + place && at === +column;
      if (isThis) cell.setAttribute('aria-sort', way === 'down' ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    if (name === part + '.' + place) arrange(table, +column, way === 'down' ? -1 : 1);
  }
}

function arrange(table, column, sign) {
  const body = table.tBodies[0];
  const text = (row) => (row.cells[column] ? row.cells[column].textContent : '');
  const rows = Array.from(body.rows);
  const wanted = rows.slice().sort((a, b) => sign * order(text(a), text(b)));
  if (wanted.some((row, at) => row !== rows[at])) body.append(...wanted);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button.sort');
  if (!button) return;
  const cell = button.closest('th');
  const found = tables().find(([, table]) => table.contains(cell));
  if (!found) return;
  const way = cell.getAttribute('aria-sort') === 'ascending' ? 'down' : 'up';
  const query = new URLSearchParams(location.search);
  query.set('sort', found[0] + '.' + cell.cellIndex + '.' + way);
  history.replaceState(null, '', location.pathname + '?' + query + location.hash);
  sorted();
});
