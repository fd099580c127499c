// A figure as PNG: its drawing, which the server sends, painted at twice its size.

const SCALE = 2;

async function painted(address) {
  const answer = await fetch(address, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error('The figure is not there any more.');
  const drawing = URL.createObjectURL(new Blob([await answer.text()], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = drawing;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = SCALE * image.naturalWidth;
    canvas.height = SCALE * image.naturalHeight;
    const context = canvas.getContext('2d');
    context.scale(SCALE, SCALE);
    context.drawImage(image, 0, 0);
    return await new Promise((done) => canvas.toBlob(done, 'image/png'));
  } finally {
    URL.revokeObjectURL(drawing);
  }
}

document.addEventListener('click', async (event) => {
  const link = event.target.closest('a[download$=".png"]');
  if (!link || link.href.startsWith('blob:')) return;
  event.preventDefault();
  const address = URL.createObjectURL(await painted(link.href));
  const saved = document.createElement('a');
  saved.href = address;
  saved.download = link.getAttribute('download');
  saved.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});
