// The page of `wd serve` in a real browser, while a study of `wd train` runs.

import { mkdtempSync, readFileSync, rmSync, writeFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { byKeyboard, figure, leftOut, logarithmic, saved, zoomed } from './figures.mjs';
import { accessible, claim, ran, served, started, until, watched } from './steps.mjs';

const { WD, PICTURES, ROOT, CHROMIUM } = process.env;
const folder = mkdtempSync(join(tmpdir(), 'wd-browser-'));
const token = 'a-token-of-this-test-0123456789';
const begun = Date.now();
const children = [];
const problems = [];
let browser;

function step(words) {
  console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${words}`);
}

async function picture(page, name, whole = true) {
  await page.screenshot({ path: join(PICTURES, name + '.png'), fullPage: whole });
}

function prepared() {
  ran(WD, ['data', 'prepare', join(ROOT, 'corpora/state-of-the-union.jsonl.zst'), '--tokenizer', 'bpe:512', '--out', 'sotu'], folder);
  const base = readFileSync(join(ROOT, 'studies/first.toml'), 'utf8')
    .replace('path = "runs/sotu"', `path = "${join(folder, 'sotu')}"`)
    .replace('steps = 400', 'steps = 1000')
    .replace('sequences = 32', 'sequences = 8')
    .replace('context = 64', 'context = 32')
    .replace('width = 64', 'width = 32');
  writeFileSync(join(folder, 'base.toml'), base);
}

function swept(out, axes) {
  const child = started(WD, ['sweep', 'base.toml', ...axes, '--out', out], folder);
  children.push(child);
  return child;
}

async function live(page) {
  const sweep = swept('runs/sweep', ['decay.lambda=0,0.1,1', 'run.seed=0..2']);
  await until('the study is in the list', () => page.locator('a', { hasText: 'sweep' }).count());
  await accessible(page, 'the list');
  await picture(page, 'list');
  await page.getByRole('link', { name: 'sweep' }).click();
  await page.evaluate(() => { window.isTheSamePage = true; });
  await until('a run is under way', () => page.locator('td', { hasText: 'running' }).count());
  const lead = () => page.locator('.lead').textContent();
  const early = await lead();
  step('a run is under way: ' + early.slice(0, 60));
  const drawn = () => page.evaluate(() => {
    const lines = document.querySelectorAll('#so-far .at-wide .line[data-label]');
    return Array.from(lines, (line) => line.getAttribute('d')).join('|');
  });
  const first = await until('a curve', drawn);
  // The focus stays where it is while figures are replaced.
  const field = page.locator('form[data-view] select').first();
  await field.focus();
  await until('the curve grows', async () => (await drawn()) !== first);
  claim(await field.evaluate((element) => element === document.activeElement), 'the focus stays');
  step('curves grow');
  await picture(page, 'running');
  await accessible(page, 'a study that runs');
  const spoken = () => page.locator('#spoken').textContent();
  await until('another verdict', async () => (await lead()) !== early);
  await until('it is said aloud', async () => (await spoken()).length > 10);
  const one = await lead();
  step('the verdict changed: ' + one.slice(0, 60));
  await keptInView(page, drawn);
  claim((await sweep.ended) === 0, 'the sweep ended well: ' + sweep.said);
  await until('the progress is gone', async () => (await page.locator('#progress').count()) === 0);
  const last = await lead();
  claim(last !== one, 'the verdict changed with more runs');
  claim(await page.evaluate(() => window.isTheSamePage === true), 'the page was never loaded again');
  step('the study ended: ' + last.slice(0, 90));
}

// A part that is looked at and a series that is left out stay while runs go on.
async function keptInView(page, drawn) {
  const one = figure(page, 'so-far');
  await one.button('Zoom in').click();
  const { low, high } = await until('a part of the axis', async () => {
    const now = await one.x();
    return now.low > 0 ? now : null;
  });
  const button = one.series.first(), label = await button.getAttribute('data-label');
  await button.click();
  const before = await drawn();
  await until('the curve grows in view', async () => (await drawn()) !== before);
  const now = await one.x();
  claim(now.low === low && now.high === high, `the part stays: ${low} to ${high}, ${now.low} to ${now.high}`);
  claim((await one.svg.locator(`.line[data-label="${label}"]`).count()) === 0, 'the series stays away');
  claim((await button.getAttribute('aria-pressed')) === 'false', 'its button says so');
  await button.click();
  await accessible(page, 'a part of a figure of a study that runs');
  await one.button('Whole figure').click();
  step('a view stays while runs go on');
}

// What a reader can do with a figure, in a page that is open.
async function used(page, id, name) {
  const one = figure(page, id);
  await byKeyboard(one);
  await zoomed(one, () => picture(page, name + '-zoomed'));
  await logarithmic(one);
  await leftOut(one);
  await saved(one, PICTURES);
  await one.series.first().click();
  await one.button('Zoom in').click();
  await accessible(page, name + ', a figure in part');
  await one.button('Whole figure').click();
  await one.series.first().click();
  step(`${name}: a figure is read by the keyboard, zoomed, made logarithmic, thinned and saved`);
}

async function asFile(context) {
  const path = join(folder, 'report.html');
  ran(WD, ['report', 'runs/sweep', '--out', path], folder);
  const page = await context.newPage();
  watched(page, problems);
  await page.goto('file://' + path);
  await accessible(page, 'a report');
  await picture(page, 'report');
  await used(page, 'training-loss', 'report');
  await page.close();
}

async function chosen(page, context) {
  await accessible(page, 'a study');
  await picture(page, 'study');
  const select = page.getByLabel('decay.lambda');
  const rows = () => page.locator('#arms tbody tr').count();
  const all = await rows();
  const asked = Date.now();
  await select.selectOption('0.1');
  await until('fewer arms', async () => (await rows()) < all);
  step(`a filter took ${Date.now() - asked} ms`);
  claim(page.url().includes('where%3Adecay.lambda=0.1'), 'the filter is in the address: ' + page.url());
  // A link restores what it shows.
  const other = await context.newPage();
  watched(other, problems);
  await other.goto(page.url());
  claim((await other.locator('#arms tbody tr').count()) === (await rows()), 'the link restores the filter');
  await other.close();
  await select.selectOption('');
  await until('all arms', async () => (await rows()) === all);
  await page.getByLabel('baseline').selectOption({ index: 2 });
  await until('the baseline', () => page.locator('#against').count());
  await picture(page, 'baseline');
  await page.getByLabel('baseline').selectOption('');
  // A table is sorted by its columns' names.
  const column = page.locator('#arms thead button').nth(1);
  await column.click();
  claim(page.url().includes('sort='), 'the order is in the address');
  const ascending = await page.locator('#arms tbody tr').first().textContent();
  await column.click();
  claim((await page.locator('#arms tbody tr').first().textContent()) !== ascending, 'the order is turned');
  // What is under the pointer is read out.
  const panel = page.locator('#training-loss .at-wide .panel .hit').first();
  await panel.scrollIntoViewIfNeeded();
  await panel.hover();
  await until('a read-out', () => page.locator('.readout').isVisible());
  claim((await page.locator('.readout').textContent()).startsWith('step'), 'it says the step');
  for (const [ending, head] of [['svg', '<svg'], ['csv', 'quantity,'], ['png', '\u0089PNG']]) {
    const saved = page.waitForEvent('download');
    await page.locator(`#training-loss a[download$=".${ending}"]`).click();
    const path = join(PICTURES, 'training-loss.' + ending);
    await (await saved).saveAs(path);
    claim(readFileSync(path, 'latin1').startsWith(head), ending + ' is what it is called');
    claim(statSync(path).size > 500, ending + ' has contents');
  }
  step('filter, baseline, order, read-out, downloads');
  await used(page, 'training-loss', 'live');
}

async function runs(page, path) {
  swept('runs/diverging', ['optim.lr=0.008,1e5', 'decay.lambda=0', 'run.seed=0', 'run.steps=100', 'optim.clip=0']);
  await page.goto(path + '/runs');
  await until('the small multiples', () => page.locator('#small-multiples').count());
  await accessible(page, 'the runs');
  await picture(page, 'runs');
  await page.locator('#table tbody a').first().click();
  await until('the chart', () => page.locator('.chart canvas').count());
  await accessible(page, 'a run');
  await picture(page, 'run');
  const box = await page.locator('.chart .u-over').boundingBox();
  const asked = Date.now();
  await page.mouse.move(box.x + 0.3 * box.width, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 80, { steps: 5 });
  await page.mouse.up();
  await until('the zoom is in the address', () => page.url().includes('from='));
  step(`a zoom took ${Date.now() - asked} ms`);
  await page.getByLabel('The chosen series over the steps of the run').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await until('the values are read', async () => (await page.locator('.readings').textContent()).startsWith('step'));
  await page.keyboard.press('0');
  await until('all is shown again', () => !page.url().includes('from='));
  await page.getByText('Choose series').click();
  await page.getByLabel('gradient_norm', { exact: true }).check();
  await until('the series is in the address', () => page.url().includes('gradient_norm'));
  await page.goto(path + '/compare');
  claim((await page.locator('.lead').textContent()).includes('decay.lambda'), 'the difference is named');
  await accessible(page, 'two runs compared');
  await page.goto('/');
  await until('the study that diverges', () => page.locator('a', { hasText: 'diverging' }).count());
  await page.getByRole('link', { name: 'diverging' }).click();
  await until('it says that it diverged', async () => /diverg/i.test(await page.locator('body').textContent()));
  await until('it ended', async () => (await page.locator('td', { hasText: 'running' }).count()) === 0);
  await accessible(page, 'a study that diverged');
  await picture(page, 'diverged');
  step('runs, a run, its zoom, two runs, a run that diverged');
}

async function explored(page) {
  await page.goto('/explore');
  await accessible(page, 'explore');
  await picture(page, 'explore');
  const lead = () => page.locator('.lead').textContent();
  const before = await lead();
  const asked = Date.now();
  await page.locator('#weight_decay-slider').focus();
  for (let press = 0; press < 20; press += 1) await page.keyboard.press('ArrowRight');
  await until('the answer moves', async () => (await lead()) !== before);
  await until('the last place is answered', async () => {
    const value = await page.locator('input[name=weight_decay]').inputValue();
    return (await page.locator('#commands').textContent()).includes('weight_decay=' + value + ' ');
  });
  step(`twenty places of a slider took ${Date.now() - asked} ms`);
  const restored = await lead();
  await page.reload();
  const again = await lead();
  claim(again === restored, `the link holds the setting: ${restored} | ${again} | ${page.url()}`);
  await page.getByLabel('λ (weight_decay)', { exact: true }).fill('nonsense');
  await until('what is wrong', async () => (await page.locator('#problem').count()) === 1);
  await page.goto('/linear');
  await accessible(page, 'the linear model');
  await picture(page, 'linear');
  const title = await page.locator('h1').textContent();
  await page.locator('#lambda-slider').focus();
  for (let press = 0; press < 30; press += 1) await page.keyboard.press('ArrowRight');
  await until('λ moves', async () => (await page.locator('h1').textContent()) !== title);
  step('λ moves in a setting and in a linear model');
}

async function looks(address, path) {
  const views = [
    ['dark', { colorScheme: 'dark', viewport: { width: 1280, height: 900 } }],
    ['phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
    ['calm', { reducedMotion: 'reduce', forcedColors: 'active' }],
  ];
  for (const [name, options] of views) {
    const context = await browser.newContext({ ...options, baseURL: new URL(address).origin });
    const page = await context.newPage();
    watched(page, problems);
    await page.goto(address);
    await page.waitForURL((url) => !url.search.includes('token'));
    for (const [place, part] of [[path, 'study'], ['/explore', 'explore'], ['/linear', 'linear'], [path + '/runs', 'runs']]) {
      await page.goto(place);
      await accessible(page, `${part}, ${name}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      claim(wide <= 0, `${part}, ${name}: the page is ${wide} pixels wider than the screen`);
      await picture(page, `${part}-${name}`);
    }
    await context.close();
  }
  step('dark, on a phone, with forced colours');
}

// The keyboard alone leads from the list to a filter.
async function keyboard(page) {
  await page.goto('/');
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim().slice(0, 40));
  for (let press = 0; press < 30 && (await focused()) !== 'sweep'; press += 1) await page.keyboard.press('Tab');
  claim((await focused()) === 'sweep', 'Tab leads to the study');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname.startsWith('/s/'));
  const isSelect = () => page.evaluate(() => document.activeElement.nodeName === 'SELECT');
  for (let press = 0; press < 60 && !(await isSelect()); press += 1) await page.keyboard.press('Tab');
  claim(await isSelect(), 'Tab leads to a filter');
  await page.keyboard.press('ArrowDown');
  await until('the filter is in the address', () => page.url().includes('where'));
  step('with the keyboard alone');
}

async function lost(page, path, server) {
  await page.goto(path);
  // A run directory is deleted meanwhile.
  rmSync(join(folder, 'runs/sweep/trials/lambda=1,seed=1'), { recursive: true, force: true });
  await until('the deleted run is told', async () => /waits|waiting|not finished/.test(await page.locator('body').textContent()));
  // The server is stopped, and started again with the same token.
  const known = problems.length;
  server.child.kill('SIGINT');
  claim((await server.child.ended) === 0, 'the server ends cleanly at Ctrl-C: ' + server.child.said);
  await until('the page says that nobody answers', async () => (await page.locator('#connection').textContent()).includes('does not answer'), 30);
  const port = new URL(server.address).port;
  const next = await served(WD, ['runs', '--port', port, '--token', token], folder);
  children.push(next.child);
  await until('the page goes on', async () => (await page.locator('#connection').textContent()).includes('serves this page'), 60);
  // A browser says itself when nobody answers.
  problems.splice(known, problems.length - known, ...problems.slice(known).filter((words) => !/ERR_CONNECTION|Failed to load resource/.test(words)));
  step('a run was deleted, the server stopped and started');
}

try {
  prepared();
  ran('mkdir', ['-p', join(folder, 'runs')], folder);
  step('the corpus is prepared');
  const server = await served(WD, ['runs', '--port', '0', '--token', token], folder);
  children.push(server.child);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: new URL(server.address).origin, acceptDownloads: true });
  const page = await context.newPage();
  watched(page, problems);
  await page.goto(server.address);
  // The page of the token leads on to the same address without it.
  await page.waitForURL((url) => !url.search.includes('token'));
  await live(page);
  const path = new URL(page.url()).pathname;
  await chosen(page, context);
  await asFile(context);
  await runs(page, path);
  await explored(page);
  await keyboard(page);
  await looks(server.address, path);
  await lost(page, path, server);
  claim(problems.length === 0, 'no page has an error in its console:\n' + problems.join('\n'));
  console.log(`The page holds in a browser; pictures are in ${PICTURES}.`);
} catch (error) {
  console.error(error.message);
  children.filter((child) => child.said).forEach((child) => console.error(child.spawnargs.join(' ') + ': ' + child.said.slice(-2000)));
  if (problems.length > 0) console.error('In the console: ' + problems.slice(0, 10).join('\n'));
  const pages = browser ? browser.contexts().flatMap((context) => context.pages()) : [];
  for (const [place, page] of pages.entries()) await picture(page, 'failed-' + place).catch(() => {});
  process.exitCode = 1;
} finally {
  if (browser) await browser.close();
  children.forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
}
