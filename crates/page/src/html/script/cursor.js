// Reading a figure: a cursor on the points of a panel, by pointer and by keyboard, and the values
// there.

const readout = document.createElement('div');
readout.className = 'readout';
readout.hidden = true;
// What is read is said aloud by the element below.
readout.setAttribute('aria-hidden', 'true');
const spoken = document.createElement('div');
spoken.className = 'spoken';
spoken.setAttribute('role', 'status');
document.body.append(readout, spoken);

// The panel that is read, the value of its horizontal axis, and whether the keyboard leads.
let cursor = { panel: null, value: undefined, isByKey: false };
// The place that was tapped, clicked or led to last: the buttons zoom about it.
let chosen = cursor;
// A stretch that is being drawn over with the pointer held down.
let drag = null;
let waiting = 0;

// Dots of a scatter are looked at, not read one by one.
const MOST_DOTS = 80;
const HINT = '\u2190 \u2192 move the cursor, + \u2212 zoom, 0 shows the whole figure';

function announce(words) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { spoken.textContent = words; }, 120);
}

function written(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100 && size < 1e6) return minus(String(Math.round(value)));
  if (size >= 1e6) return minus(value.toExponential(3).replace('e+', 'e'));
  return minus(size >= 1e-3 ? String(+value.toPrecision(4)) : value.toExponential(2));
}

function titleOf(panel) {
  const words = [];
  for (let line = panel.previousElementSibling; line && line.matches('.panel-title'); line = line.previousElementSibling) {
    words.unshift(line.textContent);
  }
  return words.join(' ');
}

// The points of a panel that can be read: of each its place, what it belongs to and how its value
// is written.
function pointsOf(panel) {
  const y = scaleOf(panel.dataset.y), all = [];
  panel.querySelectorAll('.line').forEach((path) => strokes(path).forEach(({ points }) => points.forEach((place) => {
    all.push({ x: place[0], y: place[1], mark: path, value: () => written(y.value(place[1])) });
  })));
  const dots = panel.querySelectorAll('.dot');
  if (dots.length <= MOST_DOTS) {
    dots.forEach((dot) => {
      const circle = dot.querySelector('circle');
      all.push({
        x: number(circle, 'cx'),
        y: number(circle, 'cy'),
        mark: dot.parentNode,
        value: () => dot.querySelector('title').textContent.split(': ').pop(),
      });
    });
  }
  return all;
}

function isReadable(panel) {
  const dots = panel.querySelectorAll('.dot').length;
  return Boolean(panel.dataset.x) && (panel.querySelector('.line') !== null || dots > 0 && dots <= MOST_DOTS);
}

// Panels with something to read are reached by the keyboard. What can be reached may not lie in a
// picture.
function reachable(svg) {
  const panels = panelsOf(svg).filter(isReadable);
  if (panels.length > 0) svg.setAttribute('role', 'group');
  panels.forEach((panel) => {
    panel.setAttribute('tabindex', '0');
    panel.setAttribute('role', 'application');
    panel.setAttribute('aria-roledescription', 'chart');
    panel.setAttribute('aria-label', titleOf(panel) + ' over ' + panel.dataset.name + '. ' + HINT + '.');
  });
}

// The places of the cursor, from left to right.
function placesOf(panel) {
  const all = pointsOf(panel).map(({ x }) => x).sort((a, b) => a - b);
  return all.filter((x, index) => index === 0 || x - all[index - 1] > 0.05);
}

function nearest(places, x) {
  return places.reduce((best, place, index) => Math.abs(place - x) < Math.abs(places[best] - x) ? index : best, 0);
}

function clear() {
  readout.hidden = true;
  document.querySelectorAll('svg .cursor').forEach((line) => line.remove());
}

function left() {
  clear();
  cursor = { panel: null, value: undefined, isByKey: false };
}

function row(point, panel) {
  const line = document.createElement('div'), name = document.createElement('span'), value = document.createElement('span');
  name.textContent = point.mark.dataset.label || titleOf(panel);
  // Words in a darker shade than the line: pale ones are seen, not read.
  name.style.color = 'var(--' + colourOf(point.mark).replace(/^s(?=\d)/, 'w') + ')';
  value.textContent = point.value();
  line.append(name, value);
  return line;
}

// What stands at a place: one point of each line or group of dots.
function pointsAt(panel, place) {
  const near = pointsOf(panel).filter((point) => Math.abs(point.x - place) < 0.6);
  const shown = near.filter((point, index) => near.findIndex((other) => other.mark === point.mark) === index);
  // A dot without a name that marks a point of a line says the value there, with its interval.
  return shown.filter((point) => {
    if (point.mark.dataset.label) return true;
    const line = shown.find((other) => other.mark.dataset.label && Math.abs(other.y - point.y) < 0.6);
    if (line) line.value = point.value;
    return !line;
  });
}

// Puts the cursor on a place of a panel, and says what is there. Returns the words.
function readAt(panel, place) {
  clear();
  const hit = panel.querySelector('.hit'), x = scaleOf(panel.dataset.x), shown = pointsAt(panel, place);
  const heading = document.createElement('b');
  heading.textContent = panel.dataset.name + ' ' + written(x.value(place));
  readout.replaceChildren(heading, ...shown.map((point) => row(point, panel)));
  const top = number(hit, 'y');
  const line = made(panel, 'line', { class: 'cursor', x1: place, x2: place, y1: top, y2: top + number(hit, 'height') });
  panel.insertBefore(line, hit);
  readout.hidden = false;
  return heading.textContent + ': ' + shown.map((point) => (point.mark.dataset.label || titleOf(panel)) + ' ' + point.value()).join(', ');
}

function beside(x, y) {
  const box = readout.getBoundingClientRect();
  const right = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  readout.style.left = Math.max(4, right) + 'px';
  readout.style.top = Math.max(4, Math.min(y + 12, innerHeight - box.height - 4)) + 'px';
}

// The readout beside the cursor that the keyboard leads.
function besideCursor() {
  const x = scaleOf(cursor.panel.dataset.x), hit = cursor.panel.querySelector('.hit');
  const place = cursor.value === undefined ? x.start : x.place(cursor.value);
  const at = new DOMPoint(place, number(hit, 'y')).matrixTransform(cursor.panel.ownerSVGElement.getScreenCTM());
  beside(at.x, at.y);
}

// The cursor again, after its panel was drawn anew.
function seeAgain() {
  const { panel, value, isByKey } = cursor;
  if (!panel) return;
  if (!panel.isConnected || panel.getClientRects().length === 0) {
    left();
    return;
  }
  if (value === undefined) return;
  const x = scaleOf(panel.dataset.x), places = placesOf(panel).filter((place) => place > x.start - 0.5 && place < x.end + 0.5);
  if (places.length === 0 || readout.hidden) {
    clear();
    return;
  }
  readAt(panel, places[nearest(places, x.place(value))]);
  if (isByKey) besideCursor();
}

// One listener for all figures, those that come later too.
function pointed(event) {
  const panel = event.target.closest ? event.target.closest('svg .panel[tabindex]') : null;
  // A finger leaves with every tap: what it pointed at stays until the next.
  if (!panel) {
    if ((event.pointerType !== 'touch' || event.type === 'pointerdown') && !cursor.isByKey) left();
    return;
  }
  const x = scaleOf(panel.dataset.x), at = placeOf(event, panel).x;
  const places = placesOf(panel).filter((place) => place > x.start - 0.5 && place < x.end + 0.5);
  left();
  if (places.length === 0) return;
  const place = places[nearest(places, at)];
  cursor = { panel, value: x.value(place), isByKey: false };
  readAt(panel, place);
  beside(event.clientX, event.clientY);
}

function placeOf(event, panel) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(panel.ownerSVGElement.getScreenCTM().inverse());
}

function dragged(event) {
  const x = scaleOf(drag.panel.dataset.x), at = Math.max(x.start, Math.min(x.end, placeOf(event, drag.panel).x));
  drag.to = at;
  if (!drag.span) {
    if (Math.abs(at - drag.from) < 5) return;
    const hit = drag.panel.querySelector('.hit');
    drag.span = made(drag.panel, 'rect', { class: 'span', y: number(hit, 'y'), height: number(hit, 'height') });
    drag.panel.insertBefore(drag.span, hit);
    left();
  }
  drag.span.setAttribute('x', Math.min(drag.from, at));
  drag.span.setAttribute('width', Math.abs(at - drag.from));
}

function dropped() {
  if (drag && drag.span) drag.span.remove();
  drag = null;
}

document.addEventListener('pointermove', (event) => {
  if (drag && event.pointerId === drag.pointer) dragged(event);
  if (!drag || !drag.span) pointed(event);
});
document.addEventListener('pointerdown', (event) => {
  pointed(event);
  if (cursor.panel) chosen = cursor;
  const panel = event.target.closest ? event.target.closest('svg .panel[tabindex]') : null;
  if (!panel || event.button !== 0 || !event.isPrimary) return;
  const x = scaleOf(panel.dataset.x);
  const from = Math.max(x.start, Math.min(x.end, placeOf(event, panel).x));
  drag = { panel, from, to: from, span: null, pointer: event.pointerId };
  if (event.pointerType !== 'touch') panel.setPointerCapture(event.pointerId);
});
document.addEventListener('pointerup', (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { panel, from, to, span } = drag;
  dropped();
  if (!span || Math.abs(to - from) < 5) return;
  const x = scaleOf(panel.dataset.x);
  lookAt(panel.closest('figure'), ...[Math.min(from, to), Math.max(from, to)].map(x.value), panel);
});
// The page is scrolled instead, or the window was left.
document.addEventListener('pointercancel', dropped);
document.addEventListener('pointerleave', (event) => { if (event.pointerType !== 'touch' && !cursor.isByKey) left(); });
// While a stretch is drawn over, no words are selected.
document.addEventListener('selectstart', (event) => { if (drag) event.preventDefault(); });
document.addEventListener('dblclick', (event) => {
  const panel = event.target.closest('svg .panel[tabindex]');
  if (panel) lookAt(panel.closest('figure'), undefined, undefined, panel);
});

document.addEventListener('focusin', (event) => {
  const panel = event.target;
  if (!panel.matches('.panel:focus-visible')) return;
  left();
  cursor = { panel, value: undefined, isByKey: true };
  const hint = document.createElement('div');
  hint.textContent = HINT;
  readout.replaceChildren(hint);
  readout.hidden = false;
  besideCursor();
});
document.addEventListener('focusout', (event) => { if (event.target === cursor.panel && cursor.isByKey) left(); });
document.addEventListener('scroll', () => { if (cursor.isByKey && !readout.hidden) besideCursor(); }, { passive: true });

function moved(panel, key, isFar) {
  const places = placesOf(panel), x = scaleOf(panel.dataset.x);
  const hasPlace = cursor.panel === panel && cursor.value !== undefined;
  // The first step leads to the first point that is seen.
  const first = Math.max(0, places.findIndex((place) => place > x.start - 0.5));
  const at = hasPlace ? nearest(places, x.place(cursor.value)) : first;
  const far = isFar ? 10 : 1, last = places.length - 1;
  const next = { ArrowLeft: at - far, ArrowRight: hasPlace || isFar ? at + far : at, Home: 0, End: last }[key];
  const value = x.value(places[Math.max(0, Math.min(last, next))]);
  follow(panel.closest('figure'), panel, value);
  const now = scaleOf(panel.dataset.x), all = placesOf(panel);
  chosen = cursor = { panel, value, isByKey: true };
  announce(readAt(panel, all[nearest(all, now.place(value))]));
  besideCursor();
}

document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Escape' && drag) {
    dropped();
    return;
  }
  const panel = document.activeElement?.closest('.panel[tabindex]');
  if (event.key === 'Escape') {
    if (panel || cursor.panel) lookAt((panel || cursor.panel).closest('figure'), undefined, undefined, panel || cursor.panel);
    left();
    return;
  }
  if (!panel) return;
  const figure = panel.closest('figure'), about = cursor.panel === panel ? cursor.value : undefined;
  if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) moved(panel, event.key, event.shiftKey);
  else if (event.key === '+' || event.key === '=') zoom(figure, panel, 0.5, about);
  else if (event.key === '-') zoom(figure, panel, 2, about);
  else if (event.key === '0') lookAt(figure, undefined, undefined, panel);
  else return;
  event.preventDefault();
  seeAgain();
});
