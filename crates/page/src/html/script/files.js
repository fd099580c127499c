// A figure as a file of its own: the drawing as it is seen, with the colours that it has now in the
// place of variables, as SVG or painted at twice its size.

const SCALE = 2;

function literal(text) {
  return text.replace(/var\((--\w+)\)/g, (all, name) => getComputedStyle(root).getPropertyValue(name).trim());
}

function file(svg) {
  const rules = Array.from(document.styleSheets[0].cssRules).filter((rule) => rule.selectorText && rule.selectorText.startsWith('svg'));
  const copy = svg.cloneNode(true), box = svg.viewBox.baseVal, margin = 16;
  const frame = { x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin, height: box.height + 2 * margin };
  copy.querySelectorAll('.cursor,.hit,.span').forEach((part) => part.remove());
  copy.querySelectorAll('[style]').forEach((part) => part.setAttribute('style', literal(part.getAttribute('style'))));
  // What a reader of the page can reach is a picture in the file.
  copy.setAttribute('role', 'img');
  copy.querySelectorAll('.panel').forEach((panel) => {
    ['tabindex', 'role', 'aria-label', 'aria-roledescription', 'data-seen'].forEach((name) => panel.removeAttribute(name));
  });
  copy.setAttribute('xmlns', svg.namespaceURI);
  copy.setAttribute('viewBox', Object.values(frame).join(' '));
  copy.setAttribute('width', frame.width);
  copy.setAttribute('height', frame.height);
  copy.setAttribute('font-family', 'Noto Sans,Liberation Sans,Arial,sans-serif');
  const style = made(svg, 'style', {});
  style.textContent = literal(rules.map((rule) => rule.cssText).join('\n'));
  copy.prepend(style, made(svg, 'rect', { class: 'ground', ...frame }));
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' });
}

async function painted(drawing) {
  const address = URL.createObjectURL(drawing);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = SCALE * image.naturalWidth;
    canvas.height = SCALE * image.naturalHeight;
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, 'image/png'));
  } finally {
    URL.revokeObjectURL(address);
  }
}

function kept(blob, name) {
  const link = document.createElement('a'), address = URL.createObjectURL(blob);
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

enhancers.push((part) => part.querySelectorAll('figure').forEach((figure) => {
  // Where a server draws the figure's files, the links are there.
  const numbers = figure.querySelector('.numbers');
  if (!numbers || numbers.querySelector('[download$=".svg"]')) return;
  const link = numbers.querySelector('a');
  const buttons = ['PNG', 'SVG'].map((kind) => labelled('save', 'Download ' + kind));
  link.after(...buttons);
}));

document.addEventListener('click', async (event) => {
  const pressed = event.target.closest('.numbers>.save,.numbers>a[download]');
  if (!pressed) return;
  const kind = /\w+$/.exec(pressed.download || pressed.textContent)[0].toLowerCase();
  const figure = pressed.closest('figure');
  // A server draws the whole figure: its file is taken where nothing else is seen.
  if (kind === 'csv' || kind === 'svg' && pressed.href && !isChanged(viewOf(figure))) return;
  event.preventDefault();
  const drawing = file(figure.querySelector('.at-wide svg'));
  kept(kind === 'png' ? await painted(drawing) : drawing, figure.id + '.' + kind);
});
