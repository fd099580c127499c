// The zoomable series of a run. The server thins them so that no spike is lost: of each stretch of
// steps come the least, the largest and the mean, and a zoom asks for the part that is seen.

const HEIGHT = 320;
// Alternating ends of the scale tell neighbours apart; dashes tell them apart without colour.
const COLOURS = ['--s4', '--s11', '--open', '--s8', '--bad', '--s1', '--baseline', '--s6'];
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

const figure = document.getElementById('series');
if (figure) start(figure);

function start(figure) {
  const canvas = figure.querySelector('.canvas');
  const readings = figure.querySelector('.readings');
  const logarithmic = figure.querySelector('#log-axis');
  let chart = null;
  let range = fromAddress();
  let drawn = [];
  let turn = 0;

  function fromAddress() {
    const query = new URLSearchParams(location.search);
    const from = parseFloat(query.get('from')), to = parseFloat(query.get('to'));
    return to > from ? [from, to] : null;
  }

  function chosen() {
    return Array.from(figure.querySelectorAll('input[name=series]:checked')).map((field) => field.value);
  }

  async function load() {
    const mine = ++turn;
    const names = chosen();
    const points = Math.max(200, Math.min(2000, Math.round(canvas.clientWidth)));
    const parts = await Promise.all(names.map(async (name) => {
      const query = new URLSearchParams({ name, points });
      if (range) { query.set('from', range[0]); query.set('to', range[1]); }
      const answer = await fetch(figure.dataset.run + '/series?' + query, { credentials: 'same-origin' });
      return answer.ok ? read(await answer.arrayBuffer()) : null;
    }));
    // An answer that was overtaken by another is of no use.
    if (mine !== turn) return;
    drawn = names.map((name, place) => ({ name, ...parts[place] })).filter((one) => one.steps && one.steps.length > 0);
    draw();
  }

  function read(buffer) {
    const view = new DataView(buffer), count = view.getUint32(0, true);
    const at = (offset, size, get) => Array.from({ length: count }, (_, place) => view[get](4 + offset + size * place, true));
    return {
      steps: at(0, 8, 'getFloat64'),
      low: at(8 * count, 4, 'getFloat32'),
      high: at(12 * count, 4, 'getFloat32'),
      mean: at(16 * count, 4, 'getFloat32'),
    };
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function draw() {
    const isLog = logarithmic.checked;
    const steps = Array.from(new Set(drawn.flatMap((one) => one.steps))).sort((a, b) => a - b);
    const place = new Map(steps.map((step, at) => [step, at]));
    const data = [steps], series = [{ label: 'step' }], bands = [];
    drawn.forEach((one, number) => {
      const stroke = colour(COLOURS[number % COLOURS.length]);
      const columns = ['high', 'low', 'mean'].map((part) => {
        const column = new Array(steps.length).fill(null);
        one[part].forEach((value, at) => {
          if (Number.isFinite(value) && (!isLog || value > 0)) column[place.get(one.steps[at])] = value;
        });
        return column;
      });
      data.push(...columns);
      const shared = { spanGaps: true, points: { show: false } };
      series.push({ ...shared, label: one.name + ', largest', stroke: 'transparent', width: 0 });
      series.push({ ...shared, label: one.name + ', least', stroke: 'transparent', width: 0 });
      const few = one.mean.filter(Number.isFinite).length < 60;
      series.push({ ...shared, label: one.name, stroke, width: 1.6, dash: DASHES[Math.floor(number / 2) % DASHES.length], points: { show: few, size: 5, stroke } });
      bands.push({ series: [data.length - 3, data.length - 2], fill: stroke + '33' });
    });
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--faint'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 } };
    if (chart) chart.destroy();
    canvas.replaceChildren();
    if (drawn.length === 0) {
      readings.textContent = 'Nothing that is chosen has been recorded yet.';
      chart = null;
      return;
    }
    chart = new uPlot({
      width: canvas.clientWidth,
      height: HEIGHT,
      series,
      bands,
      legend: { show: false },
      scales: { x: { time: false, range: range ? () => range : undefined }, y: { distr: isLog ? 3 : 1 } },
      axes: [{ ...axis, label: 'step', labelSize: 22 }, { ...axis, size: 66 }],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [selected], setCursor: [told] },
    }, data, canvas);
    keys();
  }

  // The names with their colours; who cannot see them reads the values below.
  function keys() {
    const list = document.createElement('ul');
    list.className = 'keys';
    drawn.forEach((one, number) => {
      const entry = document.createElement('li');
      const swatch = document.createElement('span');
      swatch.className = 'swatch';
      swatch.style.borderTopColor = colour(COLOURS[number % COLOURS.length]);
      swatch.style.borderTopStyle = number < 2 ? 'solid' : 'dashed';
      entry.append(swatch, one.name);
      list.append(entry);
    });
    canvas.prepend(list);
  }

  function told(u) {
    const at = u.cursor.idx;
    if (at === null || at === undefined) return;
    const words = drawn.map((one, number) => {
      const value = nearest(u.data[3 + 3 * number], at);
      return value === null ? null : one.name + ' ' + (+value.toPrecision(5));
    });
    readings.textContent = 'step ' + u.data[0][at] + ': ' + words.filter(Boolean).join(', ');
  }

  function nearest(column, at) {
    for (let away = 0; away < column.length; away += 1) {
      if (column[at - away] !== null && column[at - away] !== undefined) return column[at - away];
      if (column[at + away] !== null && column[at + away] !== undefined) return column[at + away];
    }
    return null;
  }

  function selected(u) {
    if (u.select.width < 6) return;
    show([u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]);
  }

  function show(next) {
    range = next;
    const query = new URLSearchParams(location.search);
    query.delete('from');
    query.delete('to');
    if (range) { query.set('from', range[0].toPrecision(6)); query.set('to', range[1].toPrecision(6)); }
    const text = query.toString();
    history.replaceState(null, '', location.pathname + (text ? '?' + text : '') + location.hash);
    load();
  }

  function zoom(factor) {
    if (!chart) return;
    const { min, max } = chart.scales.x;
    const middle = chart.cursor.idx ? chart.data[0][chart.cursor.idx] : (min + max) / 2;
    show([middle - (middle - min) * factor, middle + (max - middle) * factor]);
  }

  function act(action) {
    if (action === 'all') show(null);
    if (action === 'in') zoom(0.5);
    if (action === 'out') zoom(2);
  }

  figure.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-zoom]');
    if (button) act(button.dataset.zoom);
  });
  canvas.addEventListener('dblclick', () => act('all'));
  canvas.addEventListener('keydown', (event) => {
    if (!chart) return;
    const action = { '+': 'in', '=': 'in', '-': 'out', '0': 'all' }[event.key];
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (action) act(action);
    if (move) {
      const last = chart.data[0].length - 1;
      const at = Math.max(0, Math.min(last, (chart.cursor.idx ?? 0) + move));
      chart.setCursor({ left: chart.valToPos(chart.data[0][at], 'x'), top: HEIGHT / 3 });
    }
    if (action || move) event.preventDefault();
  });
  figure.addEventListener('change', (event) => {
    if (event.target === logarithmic) draw();
    if (event.target.name === 'series') remember();
  });
  figure.addEventListener('submit', (event) => {
    event.preventDefault();
    remember();
  });

  function remember() {
    const query = new URLSearchParams(location.search);
    query.delete('series');
    chosen().forEach((name) => query.append('series', name));
    history.replaceState(null, '', location.pathname + '?' + query + location.hash);
    load();
  }

  document.addEventListener('wd-changed', load);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  document.addEventListener('click', (event) => { if (event.target.closest('.theme')) draw(); });
  let wide = 0;
  new ResizeObserver(() => {
    if (Math.abs(canvas.clientWidth - wide) < 2) return;
    wide = canvas.clientWidth;
    if (chart) chart.setSize({ width: wide, height: HEIGHT });
  }).observe(canvas);
  load();
}
