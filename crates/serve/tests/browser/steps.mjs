// What every step of the test uses: programs, pages, and claims that end the test when they fail.

import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import AxeBuilder from '@axe-core/playwright';

const Axe = AxeBuilder.default ?? AxeBuilder;

export function claim(truth, words) {
  if (!truth) throw new Error('This does not hold: ' + words);
}

// Waits until something is true, and says what was waited for when it never is.
export async function until(words, truth, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end) {
    const found = await truth();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('This never came: ' + words);
}

export function ran(program, words, folder) {
  const outcome = spawnSync(program, words, { cwd: folder, encoding: 'utf8' });
  claim(outcome.status === 0, `${program} ${words.join(' ')}: ${outcome.stderr}`);
  return outcome.stdout;
}

export function started(program, words, folder) {
  const child = spawn(program, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  child.stderr.on('data', (bytes) => { child.said += bytes; });
  child.ended = new Promise((done) => child.on('exit', done));
  return child;
}

// A server, and the address that it prints.
export async function served(program, words, folder) {
  const child = started(program, ['serve', ...words], folder);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise((done) => lines.once('line', done)),
    child.ended.then(() => { throw new Error('The server ended: ' + child.said); }),
  ]);
  return { child, address: first.trim() };
}

// Nothing may be wrong in the console of a page, or be hard to use.
export function watched(page, problems) {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text() + ' at ' + page.url());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('response', (answer) => {
    if (answer.status() >= 400) problems.push(answer.status() + ' ' + answer.url());
  });
}

export async function accessible(page, words) {
  const { violations } = await new Axe({ page }).analyze();
  const told = violations.map((one) => `${one.id}: ${one.help} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 160)} ${one.nodes[0].failureSummary}`);
  claim(violations.length === 0, `${words} is accessible:\n${told.join('\n')}`);
}
