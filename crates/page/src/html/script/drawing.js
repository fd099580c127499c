// A panel drawn anew: coordinates become the values that they stand for, and those get their places
// under other axes. What the program drew is kept, so that the whole figure is exactly that again.

const drawn = new WeakMap();
// From the end of a line to its name, and between names.
const NAME_GAP = 12, NAME_LINE = 16;

function number(node, name) {
  return +node.getAttribute(name);
}

// A new node of a drawing, in its name space.
function made(like, name, attributes) {
  const node = document.createElementNS(like.namespaceURI, name);
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
  return node;
}

function rounded(place) {
  return String(+Math.max(-1e6, Math.min(1e6, place)).toFixed(2));
}

// The name of the colour of a mark, in a page that may hold styles and in one that may not.
function colourOf(mark) {
  const one = mark.querySelector('circle') || mark;
  return one.dataset.stroke || one.dataset.fill || (/--(\w+)/.exec(one.getAttribute('style')) || [])[1] || '';
}

function coloured(mark, like) {
  ['style', 'data-stroke', 'data-fill'].forEach((name) => {
    if (like.hasAttribute(name)) mark.setAttribute(name, like.getAttribute(name));
  });
  return mark;
}

// The strokes of a path, each with its points.
function strokes(path) {
  const text = path.getAttribute('d');
  if (path.readFrom === text) return path.strokes;
  const all = [];
  let x = 0, y = 0;
  for (const [, command, rest] of text.matchAll(/([MLlhZ])([^MLlhZ]*)/g)) {
    const [first, second] = rest.split(',').map(Number);
    if (command === 'M') all.push({ points: [], isClosed: false });
    const stroke = all[all.length - 1];
    if (command === 'Z') stroke.isClosed = true;
    if (command === 'Z' || command === 'h') continue;
    [x, y] = command === 'l' ? [x + first, y + second] : [first, second];
    stroke.points.push([x, y]);
  }
  path.readFrom = text;
  path.strokes = all;
  return all;
}

// A panel as the program drew it. After a live page put a newer one in its place, it is read again.
function original(panel) {
  if (!drawn.has(panel) || !panel.hasAttribute('data-seen')) drawn.set(panel, read(panel));
  return drawn.get(panel);
}

function read(panel) {
  const nodes = Array.from(panel.childNodes).filter((node) => !node.matches || !node.matches('.cursor,.span'));
  const whole = document.createDocumentFragment();
  whole.append(...nodes.map((node) => node.cloneNode(true)));
  const clip = whole.querySelector('clipPath rect');
  const left = number(clip, 'x'), top = number(clip, 'y');
  const frame = { left, top, right: left + number(clip, 'width'), bottom: top + number(clip, 'height') };
  const isQuantity = Boolean(panel.dataset.x);
  return {
    whole, frame, isQuantity,
    // Categories stay beside each other as they are.
    x: isQuantity ? scaleOf(panel.dataset.x) : scale(false, frame.left, frame.right, frame.left, frame.right),
    y: scaleOf(panel.dataset.y),
    words: { x: panel.dataset.x, y: panel.dataset.y },
    lines: Array.from(whole.querySelectorAll('.line')),
    bands: Array.from(whole.querySelectorAll('.band')),
    dots: Array.from(whole.querySelectorAll('.dots')),
  };
}

// Whether a mark is left out of a view. One without a name goes with the line whose colour it has.
function isHidden(was, mark, view) {
  if (view.hidden.size === 0) return false;
  if (mark.dataset.label) return view.hidden.has(mark.dataset.label);
  const colour = colourOf(mark);
  const alike = was.lines.concat(was.dots).filter((one) => one.dataset.label && colourOf(one) === colour);
  return colour !== 'ink' && alike.length > 0 && alike.every((one) => view.hidden.has(one.dataset.label));
}

// The vertical places of the original drawing that a view shows: what its axis has to hold.
function reach(was, view) {
  const { left, right, top, bottom } = was.frame;
  const [from, to] = view.window ? view.window.map(was.x.place) : [left, right];
  const inside = (place) => place > top - 0.05 && place < bottom + 0.05;
  // What a frame cuts lies on its edge, and says nothing of where it ends.
  const within = (place) => place > top + 0.06 && place < bottom - 0.06;
  const means = [], all = [];
  const along = (path, take) => strokes(path).forEach(({ points }) => points.forEach(([x, y], index) => {
    if (x > from - 0.05 && x < to + 0.05) take(y);
    if (index === 0) return;
    const [before, above] = points[index - 1];
    [from, to].forEach((edge) => {
      if ((before - edge) * (x - edge) < 0) take(above + (edge - before) / (x - before) * (y - above));
    });
  }));
  const shown = (mark) => !isHidden(was, mark, view);
  was.lines.filter(shown).forEach((path) => along(path, (y) => { if (inside(y)) means.push(y); }));
  was.bands.filter(shown).forEach((path) => along(path, (y) => { if (within(y)) all.push(y); }));
  was.dots.filter(shown).forEach((group) => group.querySelectorAll('.dot').forEach((dot) => {
    const circle = dot.querySelector('circle'), bar = dot.querySelector('path');
    if (number(circle, 'cx') < from - 0.05 || number(circle, 'cx') > to + 0.05) return;
    if (inside(number(circle, 'cy'))) means.push(number(circle, 'cy'));
    if (bar) all.push(...bar.getAttribute('d').split(/[,V]/).slice(1).map(Number).filter(within));
  }));
  // A line to compare with is held too, unless a part is looked at.
  if (!view.window && means.length > 0) {
    was.whole.querySelectorAll('.reference').forEach((line) => all.push(number(line, 'y1')));
  }
  return { means, all: all.concat(means) };
}

// Whether everything that is seen of a panel is positive, as far as its drawing can tell.
function canBeLog(was, view) {
  if (was.y.isLog) return true;
  const { means } = reach(was, view);
  const least = Math.max(...means);
  return means.length > 0 && was.y.value(least) > 0 && was.y.value(least) > 0.02 * (was.y.value(0) - was.y.value(1));
}

function isLogIn(was, view) {
  return view.isLog === null ? was.y.isLog : view.isLog && canBeLog(was, view);
}

// The vertical axis of a view: it fits what is seen, and never shows what the drawing has cut.
function verticalAxis(was, view) {
  const { top, bottom } = was.frame, isLog = isLogIn(was, view);
  const labels = was.lines.concat(was.dots).map((mark) => mark.dataset.label);
  const isChanged = view.window || isLog !== was.y.isLog || labels.some((label) => view.hidden.has(label));
  if (!isChanged) return was.y;
  const { means, all } = reach(was, view);
  if (means.length === 0) return was.y;
  const of = (places) => places.map(was.y.value);
  let [low, high] = [Math.max(...all), Math.min(...all)];
  // Less than a pixel of the drawing is a flat line.
  if (low - high < 1) [low, high] = [(low + high + 1) / 2, (low + high - 1) / 2];
  [low, high] = of([low, high]);
  if (isLog) {
    // An interval that nearly reaches 0 must not press everything else into a corner.
    const [least, most] = [Math.min(...of(means)), Math.max(...of(means))];
    const room = Math.max(2, most / least);
    [low, high] = [Math.max(low, least / room), Math.min(high, most * room)];
    if (high / low < 1 + 1e-9) [low, high] = [low / 1.25, high * 1.25];
    const margin = (high / low) ** 0.06;
    [low, high] = [low / margin, high * margin];
    if (was.y.low > 0) low = Math.max(low, was.y.low);
  } else {
    const margin = 0.06 * (high - low);
    low = Math.max(low - margin, was.y.low);
    high += margin;
  }
  return scale(isLog, low, Math.min(high, was.y.high), bottom, top);
}

// Draws a figure as a view shows it.
function redraw(svg, view) {
  const panels = Array.from(svg.querySelectorAll('.panel'));
  const isWhole = !view.window && view.isLog === null && view.hidden.size === 0;
  dimmed(svg, view);
  if (isWhole) {
    panels.filter((panel) => panel.hasAttribute('data-seen')).forEach(restored);
    return;
  }
  const plans = panels.map((panel) => {
    const was = original(panel), y = verticalAxis(was, view);
    return { panel, was, y, rows: verticalTicks(y) };
  });
  // Longer numbers at the left need room, in all panels alike: frames stand under each other.
  const needed = Math.max(...plans.flatMap(({ rows }) => rows.map(({ label }) => textWidth(label))));
  const room = Math.min(...plans.map(({ was }) => was.frame.left)) - 8;
  const moved = Math.max(0, Math.ceil(needed + 2 - room));
  plans.forEach((plan) => rebuilt(plan, view, moved));
}

function restored(panel) {
  const was = original(panel);
  panel.replaceChildren(was.whole.cloneNode(true));
  panel.dataset.x = was.words.x;
  panel.dataset.y = was.words.y;
  panel.removeAttribute('data-seen');
}

function rebuilt({ panel, was, y, rows }, view, moved) {
  const { top, right, bottom } = was.frame, left = was.frame.left + moved;
  const [low, high] = view.window && was.isQuantity ? view.window : [was.x.low, was.x.high];
  const x = scale(was.x.isLog, low, high, left, right);
  const content = was.whole.cloneNode(true);
  const edge = content.querySelector('.series') ? panel.ownerSVGElement.viewBox.baseVal.width : right + 10;
  const plan = {
    was, view, x, y, edge, frame: { left, right, top, bottom },
    X: (place) => x.place(was.x.value(place)),
    Y: (place) => y.place(was.y.value(place)),
  };
  const hasFoot = content.querySelector('.tick.middle') !== null;
  const names = Array.from(content.querySelectorAll('.series'));
  moments(content, plan);
  content.querySelectorAll('.grid,.axis,.tick.end,.series,.thread').forEach((node) => node.remove());
  content.querySelectorAll('.tick.middle').forEach((tick) => {
    if (was.isQuantity) tick.remove();
    else tick.setAttribute('x', rounded(plan.X(number(tick, 'x'))));
  });
  content.querySelectorAll('clipPath rect,.hit').forEach((rect) => {
    rect.setAttribute('x', rounded(left));
    rect.setAttribute('width', rounded(right - left));
  });
  content.querySelectorAll('.line,.band').forEach((path) => curve(path, plan));
  content.querySelectorAll('.dots').forEach((group) => dots(group, plan));
  words(content, plan);
  content.querySelector('clipPath').after(...axes(panel, plan, rows, hasFoot));
  content.append(...endLabels(names, content, plan));
  panel.replaceChildren(content);
  panel.dataset.seen = '';
  if (was.isQuantity) panel.dataset.x = x.words;
  panel.dataset.y = y.words;
}

function axes(like, { was, x, edge, frame }, rows, hasFoot) {
  const { left, right, bottom } = frame, nodes = [];
  const line = (name, from, to) => nodes.push(made(like, 'line', {
    class: name, x1: rounded(from[0]), y1: rounded(from[1]), x2: rounded(to[0]), y2: rounded(to[1]),
  }));
  const label = (name, at, height, text) => {
    const node = made(like, 'text', { class: name, x: rounded(at), y: rounded(height) });
    node.textContent = text;
    nodes.push(node);
  };
  rows.forEach((row) => {
    line('grid', [left, row.place], [right, row.place]);
    label('tick end', left - 8, row.place + 4, row.label);
  });
  if (was.isQuantity) {
    horizontalTicks(x).forEach((tick) => {
      line('axis', [tick.place, bottom], [tick.place, bottom + 4]);
      // A label at the edge of the frame must not reach over the edge of the figure.
      const half = textWidth(tick.label) / 2;
      if (hasFoot) label('tick middle', Math.max(half, Math.min(edge - half, tick.place)), bottom + 18, tick.label);
    });
  }
  line('axis', [left, bottom], [right, bottom]);
  return nodes;
}

function isInside(frame, x, y) {
  const within = (place, from, to) => place > from - 0.5 && place < to + 0.5;
  return within(x, frame.left, frame.right) && (y === undefined || within(y, frame.top, frame.bottom));
}

function curve(path, { was, view, frame, X, Y }) {
  if (isHidden(was, path, view)) {
    path.remove();
    return;
  }
  const text = strokes(path).map(({ points, isClosed }) => {
    const placed = points.map(([x, y]) => [X(x), Y(y)]);
    // Where a logarithmic axis has no place for an interval's end, it lies at the foot.
    if (isClosed) return 'M' + placed.map(([x, y]) => rounded(x) + ',' + rounded(Number.isFinite(y) ? y : frame.bottom)).join('L') + 'Z';
    let isDown = false;
    return placed.map(([x, y]) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        isDown = false;
        return '';
      }
      const command = isDown ? 'L' : 'M';
      isDown = true;
      return command + rounded(x) + ',' + rounded(y);
    }).join('') + (points.length === 1 ? 'h0.01' : '');
  }).join('');
  path.setAttribute('d', text.replace(/^h.*/, ''));
}

function dots(group, { was, view, frame, X, Y }) {
  if (isHidden(was, group, view)) {
    group.remove();
    return;
  }
  const held = (place) => Number.isFinite(place) ? Math.max(frame.top, Math.min(frame.bottom, place)) : frame.bottom;
  group.querySelectorAll('.dot').forEach((dot) => {
    const circle = dot.querySelector('circle'), bar = dot.querySelector('path');
    const x = X(number(circle, 'cx')), y = Y(number(circle, 'cy'));
    if (!isInside(frame, x, y)) {
      dot.remove();
      return;
    }
    circle.setAttribute('cx', rounded(x));
    circle.setAttribute('cy', rounded(y));
    if (!bar) return;
    const [from, to] = bar.getAttribute('d').split(/[,V]/).slice(1).map((place) => rounded(held(Y(+place))));
    bar.setAttribute('d', 'M' + rounded(x) + ',' + from + 'V' + to);
  });
}

// Lines to compare with, and words that stand beside what they name.
function words(content, { frame, X, Y }) {
  const { left, right } = frame;
  content.querySelectorAll('.reference').forEach((line) => {
    const y = Y(number(line, 'y1'));
    if (!isInside(frame, left, y)) line.remove();
    else Object.entries({ x1: left, x2: right, y1: y, y2: y }).forEach(([name, place]) => line.setAttribute(name, rounded(place)));
  });
  content.querySelectorAll('.note,.value').forEach((text) => {
    // How far each kind of word stands from its place.
    const [beside, below] = text.matches('.value') ? [10, 4] : text.matches('.end') ? [0, -5] : [0, 0];
    const isMoved = { x: !text.matches('.note.end'), y: !text.matches('.note.middle') };
    const x = isMoved.x ? X(number(text, 'x') - beside) : left, y = isMoved.y ? Y(number(text, 'y') - below) : undefined;
    if (!isInside(frame, x, y)) {
      text.remove();
      return;
    }
    if (isMoved.x) text.setAttribute('x', rounded(x + beside));
    if (isMoved.y) text.setAttribute('y', rounded(y + below));
  });
}

// A moment is a dotted line, a ring where there is a value, and a label.
function moments(content, { was, view, frame, edge, X, Y }) {
  content.querySelectorAll('.moment').forEach((line) => {
    const next = line.nextElementSibling, ring = next.matches('circle') ? next : null;
    const label = (ring || line).nextElementSibling;
    const [place, top, foot] = line.getAttribute('d').slice(1).split(/[,V]/).map(Number);
    const x = X(place), y = ring ? Y(foot) : foot;
    if (!isInside(frame, x) || isHidden(was, line, view)) {
      [line, ring, label].forEach((node) => node && node.remove());
      return;
    }
    const isRing = ring && isInside(frame, x, y);
    const end = Number.isFinite(y) ? Math.max(frame.top, Math.min(frame.bottom, y)) : frame.bottom;
    line.setAttribute('d', 'M' + rounded(x) + ',' + rounded(top) + 'V' + rounded(end));
    if (isRing) {
      ring.setAttribute('cx', rounded(x));
      ring.setAttribute('cy', rounded(y));
    } else if (ring) {
      ring.remove();
    }
    const width = textWidth(label.textContent) * 1.05 + 8, isRight = x + width <= edge;
    label.setAttribute('class', isRight ? 'moment-label' : 'moment-label end');
    label.setAttribute('x', rounded(isRight ? x + 6 : Math.max(x - 6, width - 6)));
  });
}

// Names at the ends of the lines, where these leave the frame or stop.
function endLabels(names, content, { frame }) {
  const ends = names.map((name) => {
    const path = Array.from(content.querySelectorAll('.line:not(.dashes)')).find((line) => line.dataset.label === name.textContent);
    const end = path && lastSeen(strokes(path), frame);
    return end && { name, path, x: end[0], y: Math.max(frame.top, Math.min(frame.bottom, end[1])) };
  }).filter(Boolean);
  const placed = spread(ends.map(({ y }) => y), NAME_LINE, frame.top + 4, frame.bottom - 2);
  return ends.flatMap(({ name, path, x, y }, index) => {
    const at = placed[index];
    name.setAttribute('y', rounded(at + 4));
    if (Math.abs(at - y) <= 3 && frame.right - x <= 6) return [name];
    const places = [[x + 2, y], [frame.right + 1, y], [frame.right + NAME_GAP - 3, at]];
    const d = 'M' + places.map((place) => place.map(rounded).join(',')).join('L');
    return [coloured(made(name, 'path', { class: 'thread', d }), path), name];
  });
}

function lastSeen(all, { left, right }) {
  let last = null;
  all.forEach(({ points }) => points.forEach(([x, y], index) => {
    if (x > left - 0.5 && x < right + 0.5) last = [x, y];
    if (index === 0) return;
    const [before, above] = points[index - 1];
    if (before < right && x > right) last = [right, above + (right - before) / (x - before) * (y - above)];
  }));
  return last;
}

// The key above a drawing says too what is left out.
function dimmed(svg, view) {
  svg.querySelectorAll('.key').forEach((text) => {
    const isOff = Array.from(view.hidden).some((label) => {
      return text.textContent === label || text.textContent.endsWith('\u2026') && label.startsWith(text.textContent.slice(0, -1));
    });
    [text, text.previousElementSibling].forEach((part) => part.classList.toggle('off', isOff));
  });
}
