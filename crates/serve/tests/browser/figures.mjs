// What a reader can do with a figure: the same in a report that is a file and in the live page.

import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { claim, until } from './steps.mjs';

// A figure in the layout that is seen.
export function figure(page, id) {
  const whole = page.locator('figure#' + id);
  const svg = whole.locator('.at-wide>svg');
  const axis = (name) => async () => {
    const words = await svg.locator('.panel').first().getAttribute('data-' + name);
    const [transform, ...numbers] = words.split(',');
    const [low, high] = numbers.map(Number);
    return { transform, low, high };
  };
  return {
    id, page, whole, svg,
    panel: svg.locator('.panel[tabindex]').first(),
    x: axis('x'),
    y: axis('y'),
    readout: page.locator('.readout'),
    spoken: page.locator('.spoken').last(),
    button: (name) => whole.getByRole('button', { name, exact: true }),
    series: whole.locator('.views .series'),
    // The drawing without what only a reader's hand leaves in it.
    drawing: () => svg.evaluate((element) => {
      const copy = element.cloneNode(true);
      copy.querySelectorAll('.cursor,.span').forEach((part) => part.remove());
      return copy.innerHTML;
    }),
  };
}

async function isOn(panel) {
  return panel.evaluate((element) => element === document.activeElement);
}

// Where the frame of a panel is, once the page has come to rest.
async function framed(panel) {
  await panel.scrollIntoViewIfNeeded();
  let last = null;
  return until('the page rests', async () => {
    const box = await panel.locator('.hit').boundingBox();
    const rests = last && box.y === last.y;
    last = box;
    await panel.page().waitForTimeout(80);
    return rests ? box : null;
  });
}

export async function byKeyboard(one) {
  const { page, panel, readout, spoken } = one;
  await panel.scrollIntoViewIfNeeded();
  // Tab leads to the panel from the link before it.
  await page.locator('nav a').last().focus();
  for (let press = 0; press < 150 && !(await isOn(panel)); press += 1) await page.keyboard.press('Tab');
  claim(await isOn(panel), `Tab leads to the figure ${one.id}`);
  const stops = await page.locator('.panel[tabindex]').evaluateAll((all) => all.filter((element) => !element.querySelector('.line,.dot')).length);
  claim(stops === 0, 'no panel is reached in vain');
  claim(await panel.locator('.hit').evaluate((hit) => parseFloat(getComputedStyle(hit).strokeWidth) >= 2 && getComputedStyle(hit).stroke !== 'none'), 'the focus is seen');
  await until('the keys are told', () => readout.isVisible());
  const name = await panel.getAttribute('data-name');
  const reads = async (key, words) => {
    const before = await readout.textContent();
    await page.keyboard.press(key);
    await until(`${key} ${words}`, async () => (await readout.textContent()) !== before);
    const told = await readout.textContent();
    claim(told.startsWith(name + ' '), `${key}: the readout names the place: ${told}`);
    return +/ ([\d.e\u2212]+)/.exec(told)[1].replace('\u2212', '-');
  };
  const first = await reads('ArrowRight', 'shows the first point');
  const second = await reads('ArrowRight', 'leads on');
  claim(second > first, `the cursor moves to the right: ${first}, ${second}`);
  claim((await reads('ArrowLeft', 'leads back')) === first, 'and back');
  const last = await reads('End', 'leads to the end');
  claim(last > second, 'End leads to the end');
  claim((await reads('Home', 'leads to the beginning')) === first, 'Home leads to the beginning');
  await reads('Shift+ArrowRight', 'leads on by ten');
  await until('it is said aloud', async () => (await spoken.textContent()).startsWith(name + ' '));
  claim(await isOn(panel), 'the focus stays');
  await page.keyboard.press('Escape');
  await until('the readout is gone', async () => !(await readout.isVisible()));
}

export async function zoomed(one, picture) {
  const { page, panel, x, y, button } = one;
  const [whole, wasX, wasY] = [await one.drawing(), await x(), await y()];
  const across = async (from, to) => {
    const box = await framed(panel);
    await page.mouse.move(box.x + from * box.width, box.y + 0.4 * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + to * box.width, box.y + 0.5 * box.height, { steps: 6 });
    await page.mouse.up();
  };
  await across(0.7, 0.4);
  const part = await until('a part is seen', async () => {
    const now = await x();
    return now.low > wasX.low && now.high < wasX.high ? now : null;
  });
  claim(await button('Whole figure').isVisible(), 'a way back is seen');
  const fits = await y();
  claim(fits.low >= wasY.low && fits.high <= wasY.high && fits.high - fits.low < wasY.high - wasY.low, 'the vertical axis fits what is seen');
  const labels = await panel.locator('.tick.end').allTextContents();
  claim(labels.length >= 2 && new Set(labels).size === labels.length, 'the labels of the axis differ: ' + labels);
  const out = await one.svg.evaluate((svg) => {
    const frame = svg.getBoundingClientRect();
    return Array.from(svg.querySelectorAll('.tick,.series')).filter((text) => {
      const box = text.getBoundingClientRect();
      return box.left < frame.left - 1 || box.right > frame.right + 1;
    }).map((text) => text.textContent);
  });
  claim(out.length === 0, 'no label leaves the figure: ' + out);
  if (picture) await picture();
  const box = await framed(panel);
  await page.mouse.dblclick(box.x + 0.5 * box.width, box.y + 0.5 * box.height);
  await until('a double click leads back', async () => (await x()).high === wasX.high);
  claim((await one.drawing()) === whole, 'the whole figure is exactly what it was');
  await across(0.2, 0.3);
  await until('a part again', async () => (await x()).high < wasX.high);
  await button('Whole figure').click();
  await until('the button leads back', async () => (await x()).high === wasX.high);
  claim(await isOn(panel), 'the focus goes where the button led');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('+');
  await until('+ leads nearer', async () => (await x()).high - (await x()).low < 0.6 * (wasX.high - wasX.low) || (await x()).transform === 'log');
  await page.keyboard.press('+');
  await page.keyboard.press('-');
  await page.keyboard.press('End');
  await until('what is read is seen', async () => (await x()).high === wasX.high && (await x()).low > wasX.low);
  await page.keyboard.press('0');
  await until('0 leads back', async () => (await x()).low === wasX.low);
  await button('Zoom in').click();
  await until('a button leads nearer', async () => (await x()).low > wasX.low);
  await panel.focus();
  await page.keyboard.press('Escape');
  await until('Escape leads back', async () => (await x()).low === wasX.low);
  claim((await one.drawing()) === whole, 'the whole figure is exactly what it was, after all of that');
  return part;
}

export async function logarithmic(one) {
  const whole = await one.drawing();
  const button = one.button('Logarithmic axis');
  const pressed = () => button.getAttribute('aria-pressed');
  const transforms = () => one.svg.locator('.panel').evaluateAll((all) => all.map((panel) => panel.dataset.y.split(',')[0]).join());
  const [before, was] = [await transforms(), await pressed()];
  await button.focus();
  await one.page.keyboard.press('Enter');
  await until('another axis', async () => (await transforms()) !== before);
  claim((await pressed()) !== was, 'the button says which axis is seen');
  claim(!(await one.drawing()).includes('NaN'), 'every place is a number');
  // Where some panels are drawn so and others not, there is a third state.
  for (let press = 0; press < 2 && (await transforms()) !== before; press += 1) await one.page.keyboard.press('Enter');
  claim((await transforms()) === before && (await pressed()) === was, 'the button leads back to the axes as they were');
  claim((await one.drawing()) === whole, 'the drawing is what it was');
}

export async function leftOut(one) {
  const whole = await one.drawing();
  const count = await one.series.count();
  claim(count >= 2, 'each series has a button');
  const first = one.series.first(), label = await first.getAttribute('data-label');
  const lines = () => one.svg.locator('.panel [data-label]').evaluateAll((all, wanted) => all.filter((mark) => mark.dataset.label === wanted).length, label);
  const axis = await one.y();
  await first.focus();
  await one.page.keyboard.press('Space');
  await until('the series is gone', async () => (await lines()) === 0);
  claim((await first.getAttribute('aria-pressed')) === 'false', 'the button says so');
  const fits = await one.y();
  claim(fits.low >= axis.low && fits.high <= axis.high, 'the axis fits what is left');
  await one.page.keyboard.press('Space');
  await until('the series is there again', async () => (await lines()) > 0);
  claim((await one.drawing()) === whole, 'the drawing is what it was');
  return label;
}

// The files show what is seen: here without its first series, and a part of it.
export async function saved(one, folder) {
  const { page } = one;
  const first = one.series.first(), label = await first.getAttribute('data-label');
  await first.click();
  await one.button('Zoom in').click();
  const file = async (kind) => {
    const coming = page.waitForEvent('download');
    await one.whole.locator('.numbers').getByText('Download ' + kind).click();
    const path = join(folder, `${one.id}-seen.${kind.toLowerCase()}`);
    const download = await coming;
    claim(download.suggestedFilename() === `${one.id}.${kind.toLowerCase()}`, 'a file has the name of its figure');
    await download.saveAs(path);
    return readFileSync(path);
  };
  const svg = (await file('SVG')).toString();
  claim(svg.startsWith('<svg') && !svg.includes('var(--') && !svg.includes('tabindex'), 'the file is a drawing of its own');
  claim(!svg.includes(`data-label="${label}"`), 'what is left out is not in the file');
  const { low, high } = await one.x();
  claim(svg.includes(`,${low},${high},`), 'the file shows the part that is seen');
  const png = await file('PNG');
  claim(png.subarray(1, 4).toString() === 'PNG', 'the picture is one');
  const [width, wanted] = [png.readUInt32BE(16), 2 * +/ width="([\d.]+)"/.exec(svg)[1]];
  claim(Math.abs(width - wanted) <= 1, `the picture has twice the size: ${width}, ${wanted}`);
  await one.button('Whole figure').click();
  await first.click();
}
