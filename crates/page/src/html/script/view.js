// What is seen of a figure: a part of its horizontal axis, which of its series, and whether its
// vertical axes are logarithmic. A view belongs to a figure's name: it stays while a live page
// draws the figure anew.

const views = new Map();
// More series than these stand behind their count.
const MOST_BUTTONS = 16;

function viewOf(figure) {
  if (!views.has(figure.id)) views.set(figure.id, { window: null, isLog: null, hidden: new Set() });
  return views.get(figure.id);
}

function isChanged(view) {
  return Boolean(view.window) || view.isLog !== null || view.hidden.size > 0;
}

function panelsOf(part) {
  return Array.from(part.querySelectorAll('.panel'));
}

// What the buttons below a figure can do, and what their state is.
function buttons(figure, panels) {
  const view = viewOf(figure), row = figure.querySelector('.views');
  row.querySelectorAll('.series').forEach((button) => {
    button.setAttribute('aria-pressed', String(!view.hidden.has(button.dataset.label)));
  });
  const log = row.querySelector('.log');
  const able = panels.filter((was) => canBeLog(was, view)), isLog = able.map((was) => isLogIn(was, view));
  log.hidden = view.isLog === null && able.length === 0;
  log.setAttribute('aria-pressed', isLog.includes(true) && isLog.includes(false) ? 'mixed' : String(isLog.includes(true)));
  const whole = row.querySelector('.whole');
  if (whole) whole.hidden = !view.window;
}

// Shows the view of a figure, in the drawing for a wide page and in that for a narrow one.
function show(figure) {
  const view = viewOf(figure);
  const wide = panelsOf(figure.querySelector('.at-wide'))[0];
  // A live page may have come to another axis, which the part that was looked at no longer lies on.
  if (wide && view.window) view.window = cut(original(wide), ...view.window);
  figure.querySelectorAll('.at-wide>svg,.at-narrow>svg').forEach((svg) => redraw(svg, view));
  buttons(figure, panelsOf(figure.querySelector('.at-wide')).map(original));
}

// A part of an axis: no larger than the axis and no smaller than a drawing can tell apart; nothing
// is all of it.
function cut(was, from, to) {
  if (!was.isQuantity) return null;
  const { left, right } = was.frame;
  let [start, end] = [was.x.place(from), was.x.place(to)];
  if (!Number.isFinite(start) || !Number.isFinite(end)) return null;
  const least = 3, short = least - (end - start);
  if (short > 0) [start, end] = [start - short / 2, end + short / 2];
  const width = Math.min(end - start, right - left);
  if (width > right - left - 0.05 || end < left || start > right) return null;
  start = Math.max(left, Math.min(right - width, start));
  // The ends of the axis are themselves, and not nearly so.
  const isLast = start + width > right - 1e-6;
  return [start === left ? was.x.low : was.x.value(start), isLast ? was.x.high : was.x.value(start + width)];
}

function lookAt(figure, from, to, panel) {
  const view = viewOf(figure), before = view.window;
  view.window = from === undefined ? null : cut(original(panel), from, to);
  if (!before && !view.window) return;
  show(figure);
  announce(view.window ? panel.dataset.name + ' ' + view.window.map(written).join(' to ') : 'Whole figure');
}

function isSeen(panel, value) {
  const x = scaleOf(panel.dataset.x), place = x.place(value);
  return place > x.start - 0.5 && place < x.end + 0.5;
}

// Nearer or farther, about a value that keeps its place.
function zoom(figure, panel, factor, about) {
  const x = scaleOf(panel.dataset.x);
  const middle = about === undefined ? (x.start + x.end) / 2 : x.place(about);
  lookAt(figure, ...[x.start, x.end].map((edge) => x.value(middle + (edge - middle) * factor)), panel);
}

// Moves the part that is seen, so that a value is in it.
function follow(figure, panel, value) {
  if (!viewOf(figure).window || isSeen(panel, value)) return;
  const x = scaleOf(panel.dataset.x), place = x.place(value);
  const half = (x.end - x.start) / 2;
  viewOf(figure).window = cut(original(panel), x.value(place - half), x.value(place + half));
  show(figure);
}

// From the axes as they were drawn to logarithmic ones, to linear ones, and back: to the next that
// differ.
function otherAxes(panels, view) {
  const all = [null, true, false], from = all.indexOf(view.isLog);
  const look = (isLog) => panels.map((was) => isLogIn(was, { ...view, isLog })).join();
  const next = [1, 2].map((step) => all[(from + step) % 3]).find((isLog) => look(isLog) !== look(view.isLog));
  // What the drawing shows by itself is no view.
  return next === undefined || look(next) === look(null) ? null : next;
}

function swatch(mark) {
  const svg = made(mark, 'svg', { viewBox: '0 0 22 10', width: 22, height: 10, 'aria-hidden': 'true' });
  const circle = mark.querySelector('circle');
  const shape = circle
    ? made(svg, 'circle', { cx: 11, cy: 5, r: 4 })
    : made(svg, 'path', { class: mark.getAttribute('class'), d: 'M1,5h20' });
  svg.append(coloured(shape, circle || mark));
  return svg;
}

// A button for each series, where a panel has several.
function seriesButtons(panels) {
  const known = new Map();
  let most = 0;
  panels.forEach((was) => {
    const named = was.lines.concat(was.dots).filter((mark) => mark.dataset.label);
    most = Math.max(most, new Set(named.map((mark) => mark.dataset.label)).size);
    named.forEach((mark) => { if (!known.has(mark.dataset.label)) known.set(mark.dataset.label, mark); });
  });
  if (most < 2) return [];
  const all = Array.from(known, ([label, mark]) => {
    const button = labelled('series', '');
    button.dataset.label = label;
    button.setAttribute('aria-pressed', 'true');
    button.append(swatch(mark), label);
    return button;
  });
  if (all.length <= MOST_BUTTONS) return all;
  const box = document.createElement('details'), summary = document.createElement('summary'), list = document.createElement('div');
  summary.textContent = all.length + ' series';
  list.append(...all);
  box.append(summary, list);
  return [box];
}

enhancers.push((part) => part.querySelectorAll('figure').forEach((figure) => {
  const drawings = Array.from(figure.querySelectorAll('.at-wide>svg,.at-narrow>svg'));
  const panels = drawings.length > 0 ? panelsOf(drawings[0]) : [];
  if (panels.length === 0) return;
  const kept = panels.map(original), canZoom = panels.some(isReadable);
  drawings.forEach(reachable);
  const row = document.createElement('div');
  row.className = 'views';
  row.setAttribute('role', 'group');
  row.setAttribute('aria-label', 'What the figure shows');
  row.append(...seriesButtons(kept));
  const log = labelled('log', 'Logarithmic axis');
  row.append(log);
  if (canZoom) {
    [['nearer', '+', 'Zoom in'], ['farther', '\u2212', 'Zoom out']].forEach(([name, sign, words]) => {
      const button = labelled(name, sign);
      button.setAttribute('aria-label', words);
      row.append(button);
    });
    row.append(labelled('whole', 'Whole figure'));
  }
  drawings[drawings.length - 1].parentNode.after(row);
  buttons(figure, kept);
}));

document.addEventListener('click', (event) => {
  const button = event.target.closest('.views button');
  if (!button) return;
  const figure = button.closest('figure'), view = viewOf(figure);
  // The drawing that is seen; where a panel was read last, it is that one.
  const seen = panelsOf(figure).filter((panel) => panel.dataset.x && panel.getClientRects().length > 0);
  const panel = seen.includes(chosen.panel) ? chosen.panel : seen[0];
  const about = panel && chosen.panel === panel && isSeen(panel, chosen.value) ? chosen.value : undefined;
  if (button.matches('.series')) {
    if (!view.hidden.delete(button.dataset.label)) view.hidden.add(button.dataset.label);
    show(figure);
  }
  if (button.matches('.log')) {
    view.isLog = otherAxes(panelsOf(figure.querySelector('.at-wide')).map(original), view);
    show(figure);
  }
  if (button.matches('.nearer')) zoom(figure, panel, 0.5, about);
  if (button.matches('.farther')) zoom(figure, panel, 2, about);
  if (button.matches('.whole')) {
    lookAt(figure, undefined, undefined, panel);
    // The button is gone: who used it goes on where it led.
    if (panel) panel.focus({ preventScroll: true });
  }
  seeAgain();
});

// A live page has put newer drawings in the place of older ones.
document.addEventListener('wd-changed', () => {
  document.querySelectorAll('figure').forEach((figure) => {
    if (views.has(figure.id) && isChanged(viewOf(figure))) show(figure);
  });
  seeAgain();
});
