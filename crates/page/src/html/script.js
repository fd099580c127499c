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
    var drawn = path.getAttribute('d');
    if (path.drawn !== drawn) {
      path.drawn = drawn;
      path.parsed = drawn.split(/[ML]/).filter(Boolean).map(function (pair) {
        return pair.split(/[,h]/).map(Number);
      });
    }
    return path.parsed;
  }
  var readout = document.createElement('div');
  readout.className = 'readout';
  readout.hidden = true;
  document.body.appendChild(readout);

  function row(path, value) {
    var line = document.createElement('div'), left = document.createElement('span'), right = document.createElement('span');
    var colour = path.dataset.stroke ? 'var(--' + path.dataset.stroke + ')' : path.style.stroke;
    left.textContent = path.dataset.label;
    // Words in a darker shade than the line: pale ones are seen, not read.
    left.style.color = colour.replace('--s', '--w');
    right.textContent = value;
    line.append(left, right);
    return line;
  }
  function clear() {
    readout.hidden = true;
    document.querySelectorAll('svg .cursor').forEach(function (cursor) { cursor.remove(); });
  }
  // One listener for all figures, those that come later too.
  function pointed(event) {
    var panel = event.target.closest ? event.target.closest('svg .panel') : null;
    var hit = panel ? panel.querySelector('.hit') : null;
    // A finger leaves with every tap: what it pointed at stays until the next.
    if (!hit) { if (event.pointerType !== 'touch' || event.type === 'pointerdown') clear(); return; }
    var svg = hit.ownerSVGElement, toX = axis(panel.dataset.x), toY = axis(panel.dataset.y);
    var at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    var best = null;
    panel.querySelectorAll('.line[data-label]').forEach(function (path) {
      points(path).forEach(function (point) {
        if (best === null || Math.abs(best - at.x) > Math.abs(point[0] - at.x)) best = point[0];
      });
    });
    clear();
    if (best === null) return;
    var heading = document.createElement('b');
    heading.textContent = panel.dataset.name + ' ' + words(toX(best));
    readout.replaceChildren(heading);
    panel.querySelectorAll('.line[data-label]').forEach(function (path) {
      var near = points(path).filter(function (point) { return 0.6 > Math.abs(point[0] - best); })[0];
      if (near) readout.appendChild(row(path, words(toY(near[1]))));
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
  }
  document.addEventListener('pointermove', pointed);
  document.addEventListener('pointerdown', pointed);
  document.addEventListener('pointerleave', function (event) { if (event.pointerType !== 'touch') clear(); });

  function copied(copy) {
    var pre = copy.parentNode.querySelector('pre');
    function done(word) { copy.textContent = word; setTimeout(function () { copy.textContent = 'Copy'; }, 1500); }
    function select() {
      getSelection().selectAllChildren(pre);
      done(document.execCommand('copy') ? 'Copied' : 'Selected');
    }
    // A page from a file may not be allowed to write the clipboard: then what is to be copied is selected.
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(pre.textContent).then(function () { done('Copied'); }, select);
  }

  // A figure as a file of its own: the drawing with the colours that it has now, in the place of variables.
  function literal(text) {
    return text.replace(/var\((--\w+)\)/g, function (all, name) { return getComputedStyle(root).getPropertyValue(name).trim(); });
  }
  function file(svg) {
    var figures = Array.prototype.filter.call(document.styleSheets[0].cssRules, function (rule) {
      return rule.selectorText && rule.selectorText.indexOf('svg') === 0;
    }).map(function (rule) { return rule.cssText; }).join('\n');
    var copy = svg.cloneNode(true), box = svg.viewBox.baseVal, margin = 16;
    copy.querySelectorAll('.cursor,.hit').forEach(function (part) { part.remove(); });
    copy.querySelectorAll('[style]').forEach(function (part) { part.setAttribute('style', literal(part.getAttribute('style'))); });
    copy.setAttribute('xmlns', svg.namespaceURI);
    copy.setAttribute('viewBox', [box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin].join(' '));
    copy.setAttribute('width', box.width + 2 * margin);
    copy.setAttribute('height', box.height + 2 * margin);
    copy.setAttribute('font-family', 'Noto Sans,Liberation Sans,Arial,sans-serif');
    var style = document.createElementNS(svg.namespaceURI, 'style'), ground = document.createElementNS(svg.namespaceURI, 'rect');
    style.textContent = literal(figures);
    ground.setAttribute('class', 'ground');
    [['x', box.x - margin], ['y', box.y - margin], ['width', box.width + 2 * margin], ['height', box.height + 2 * margin]]
      .forEach(function (pair) { ground.setAttribute(pair[0], pair[1]); });
    copy.prepend(style, ground);
    return new XMLSerializer().serializeToString(copy);
  }
  function saved(figure) {
    var link = document.createElement('a');
    var address = URL.createObjectURL(new Blob([file(figure.querySelector('.at-wide svg'))], { type: 'image/svg+xml' }));
    link.href = address;
    link.download = figure.id + '.svg';
    link.click();
    setTimeout(function () { URL.revokeObjectURL(address); }, 1000);
  }
  document.addEventListener('click', function (event) {
    var clicked = event.target.closest('button');
    if (!clicked) return;
    if (clicked.className === 'copy') copied(clicked);
    if (clicked.className === 'save') saved(clicked.closest('figure'));
  });

  function labelled(className, text) {
    var made = document.createElement('button');
    made.type = 'button';
    made.className = className;
    made.textContent = text;
    return made;
  }
  function enhance(part) {
    // Commands and calls are there to be pasted.
    part.querySelectorAll('pre').forEach(function (pre) {
      var box = document.createElement('div');
      box.className = 'pasted';
      pre.replaceWith(box);
      box.append(pre, labelled('copy', 'Copy'));
    });
    // Where a server draws the figure's files, the links are there.
    part.querySelectorAll('figure').forEach(function (figure) {
      var numbers = figure.querySelector('.numbers');
      if (numbers && !numbers.querySelector('[download$=".svg"]')) numbers.prepend(labelled('save', 'Download SVG'));
    });
  }
  enhance(document);
  window.wd = { enhance: enhance };
})();
