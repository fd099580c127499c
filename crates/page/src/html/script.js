(function () {
  'use strict';
  var root = document.documentElement;
  var button = document.createElement('button');
  button.type = 'button';
  button.className = 'theme';
  function dark() {
    if (root.dataset.theme) return root.dataset.theme === 'dark';
    return matchMedia('(prefers-color-scheme: dark)').matches;
  }
  function name() { button.textContent = dark() ? 'Light' : 'Dark'; }
  button.addEventListener('click', function () { root.dataset.theme = dark() ? 'light' : 'dark'; name(); });
  name();
  document.querySelector('nav').appendChild(button);

  // An axis is "transform,low,high,start,end": enough to turn a coordinate back into its value.
  function axis(text) {
    var part = text.split(','), low = +part[1], high = +part[2], start = +part[3], end = +part[4];
    return function (at) {
      var fraction = (at - start) / (end - start);
      return part[0] === 'log' ? low * Math.pow(high / low, fraction) : low + fraction * (high - low);
    };
  }
  function words(value) {
    var size = Math.abs(value);
    if (size === 0) return '0';
    if (size >= 100 && 1e6 > size) return String(Math.round(value));
    if (size >= 1e6) return value.toExponential(3);
    return size >= 1e-3 ? String(+value.toPrecision(4)) : value.toExponential(2);
  }
  function points(path) {
    if (!path.parsed) {
      path.parsed = path.getAttribute('d').split(/[ML]/).filter(Boolean).map(function (pair) {
        return pair.split(/[,h]/).map(Number);
      });
    }
    return path.parsed;
  }
  var readout = document.createElement('div');
  readout.className = 'readout';
  readout.hidden = true;
  document.body.appendChild(readout);

  function row(label, value, colour) {
    var line = document.createElement('div'), left = document.createElement('span'), right = document.createElement('span');
    left.textContent = label;
    left.style.color = colour;
    right.textContent = value;
    line.append(left, right);
    return line;
  }
  function clear(svg) {
    readout.hidden = true;
    svg.querySelectorAll('.cursor').forEach(function (cursor) { cursor.remove(); });
  }
  document.querySelectorAll('.hit').forEach(function (hit) {
    var panel = hit.parentNode, svg = hit.ownerSVGElement;
    var toX = axis(panel.dataset.x), toY = axis(panel.dataset.y);
    hit.style.pointerEvents = 'all';
    panel.addEventListener('pointerleave', function () { clear(svg); });
    panel.addEventListener('pointermove', function (event) {
      var at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      var best = null;
      panel.querySelectorAll('.line[data-label]').forEach(function (path) {
        points(path).forEach(function (point) {
          if (best === null || Math.abs(best - at.x) > Math.abs(point[0] - at.x)) best = point[0];
        });
      });
      clear(svg);
      if (best === null) return;
      var heading = document.createElement('b');
      heading.textContent = panel.dataset.name + ' ' + words(toX(best));
      readout.replaceChildren(heading);
      panel.querySelectorAll('.line[data-label]').forEach(function (path) {
        var near = points(path).filter(function (point) { return 0.6 > Math.abs(point[0] - best); })[0];
        if (near) readout.appendChild(row(path.dataset.label, words(toY(near[1])), path.style.stroke));
      });
      var cursor = document.createElementNS(svg.namespaceURI, 'line');
      cursor.setAttribute('class', 'cursor');
      cursor.setAttribute('x1', best);
      cursor.setAttribute('x2', best);
      cursor.setAttribute('y1', hit.getAttribute('y'));
      cursor.setAttribute('y2', +hit.getAttribute('y') + +hit.getAttribute('height'));
      panel.insertBefore(cursor, hit);
      readout.hidden = false;
      var box = readout.getBoundingClientRect();
      var right = event.clientX + 16 + box.width > innerWidth ? event.clientX - 16 - box.width : event.clientX + 16;
      readout.style.left = Math.max(4, right) + 'px';
      readout.style.top = Math.max(4, Math.min(event.clientY + 12, innerHeight - box.height - 4)) + 'px';
    });
  });
})();
