// Axes: from a value to its place in the drawing and back, and the round numbers along them. They
// are chosen and written as the program that drew the figure does.

function scale(isLog, low, high, start, end) {
  const same = (value) => value;
  const [forward, back] = isLog ? [Math.log, Math.exp] : [same, same];
  const from = forward(low), span = forward(high) - from;
  return {
    isLog, low, high, start, end,
    place: (value) => start + (forward(value) - from) / span * (end - start),
    value: (place) => back(from + (place - start) / (end - start) * span),
    words: [isLog ? 'log' : 'linear', low, high, start, end].join(','),
  };
}

// An axis of a panel is "transform,low,high,start,end".
function scaleOf(words) {
  const [transform, ...numbers] = words.split(',');
  return scale(transform === 'log', ...numbers.map(Number));
}

function linearTicks(low, high, wanted) {
  const raw = (high - low) / wanted, magnitude = 10 ** Math.floor(Math.log10(raw));
  const ratio = (raw / magnitude) ** 2;
  const step = magnitude * (ratio < 2 ? 1 : ratio < 10 ? 2 : ratio < 50 ? 5 : 10);
  const first = Math.ceil(low / step - 1e-9), ticks = [];
  for (let index = 0; index <= 4 * wanted; index += 1) {
    const value = (first + index) * step;
    if (value > high + 1e-9 * step) break;
    ticks.push(Math.abs(value) < 1e-9 * step ? 0 : value);
  }
  return ticks;
}

function logTicks(low, high, wanted) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const decades = Math.log10(high / low);
  function round(stride, mantissas) {
    const ticks = [];
    for (let exponent = first; exponent <= last; exponent += stride) {
      mantissas.forEach((mantissa) => ticks.push(+(mantissa + 'e' + exponent)));
    }
    return ticks.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  }
  if (decades >= 1.5) return round(Math.ceil(decades / wanted), decades <= 2.5 && wanted >= 5 ? [1, 2, 5] : [1]);
  const fine = round(1, [1, 2, 5]);
  return fine.length >= 3 ? fine : linearTicks(low, high, wanted);
}

// About so many round values, each with its label.
function ticks(axis, wanted) {
  const values = (axis.isLog ? logTicks : linearTicks)(axis.low, axis.high, wanted);
  const labels = tickLabels(values, axis.isLog);
  return values.map((value, index) => ({ value, place: axis.place(value), label: labels[index] }));
}

function tickLabels(values, isLog) {
  const largest = Math.max(0, ...values.map(Math.abs));
  const isPlain = largest >= 1e-3 && largest < 1e6;
  const told = values.map(short), steps = values.slice(1).map((value, index) => value - values[index]);
  const step = Math.min(...steps), isEven = steps.length > 1 && Math.max(...steps) < 1.01 * step;
  const areTold = new Set(told).size === told.length;
  if ((isLog && !isEven || !isPlain) && areTold) return told;
  if (!isPlain) return values.map((value) => minus(String(+value.toPrecision(8))));
  const decimals = Number.isFinite(step) ? Math.max(0, Math.min(8, -Math.floor(Math.log10(step * 1.0001)))) : 2;
  return values.map((value) => minus(decimals === 0 && value >= 0 ? grouped(value) : value.toFixed(decimals)));
}

function grouped(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function minus(text) {
  return text.replace(/-/g, '\u2212');
}

// A number with about four digits.
function short(value) {
  if (value === 0) return '0';
  const printed = Math.abs(+value.toExponential(3));
  if (printed >= 1e-3 && Math.abs(value) < 1e6) {
    return minus(String(+value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(printed))))));
  }
  return minus(value.toExponential(3).replace(/\.?0+e\+?/, 'e').replace('e+', 'e'));
}

// As many labels as fit: fewer are asked for until none touches the next.
function horizontalTicks(axis) {
  const width = Math.abs(axis.end - axis.start), gap = 14;
  let kept = [];
  for (let wanted = 8; wanted >= 2; wanted -= 1) {
    const all = ticks(axis, wanted);
    let taken = -Infinity, room = 0;
    kept = all.filter(({ place, label }) => {
      const half = textWidth(label) / 2;
      room += 2 * half + gap;
      if (place - half < taken) return false;
      taken = place + half + gap / 2;
      return true;
    });
    if (room <= width && kept.length === all.length) break;
  }
  return kept;
}

function verticalTicks(axis) {
  return ticks(axis, Math.max(2, Math.min(6, Math.round(Math.abs(axis.end - axis.start) / 42))));
}

const ruler = document.createElement('canvas').getContext('2d');
ruler.font = '12px ' + getComputedStyle(document.body).fontFamily;
// Width of a label of an axis in the units of the drawing.
function textWidth(text) {
  return ruler.measureText(text).width;
}

// Moves wanted places apart until neighbours are a gap apart: those that touch move as one block.
function spread(wanted, gap, low, high) {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b]);
  const last = Math.max(low, high - gap * (wanted.length - 1));
  const blocks = [];
  order.forEach((index, rank) => {
    blocks.push([wanted[index] - gap * rank, 1]);
    while (blocks.length > 1 && blocks[blocks.length - 2][0] > blocks[blocks.length - 1][0]) {
      const [after, more] = blocks.pop(), [before, many] = blocks.pop();
      blocks.push([(before * many + after * more) / (many + more), many + more]);
    }
  });
  const placed = [];
  let rank = 0;
  blocks.forEach(([place, many]) => {
    for (let member = 0; member < many; member += 1, rank += 1) {
      placed[order[rank]] = Math.max(low, Math.min(last, place)) + gap * rank;
    }
  });
  return placed;
}
