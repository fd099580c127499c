// Keeps a page as new as its server: asks what has changed while the page is seen, and puts only
// that in its place. What is chosen in a form stands in the address, so that a link restores it.

import { morph } from './morph.js';
import { sorted } from './tables.js';

const main = document.getElementById('main');
const spoken = document.getElementById('spoken');
const connection = document.getElementById('connection');
const connected = connection.textContent;
let again = +main.dataset.again;
let failures = 0;
let timer = 0;
let isAsking = false;
let isAskedAgain = false;
let said = '';

function parts() {
  return Array.from(document.querySelectorAll('[data-part]'));
}

function have() {
  return parts().map((part) => part.dataset.part + ':' + part.dataset.hash).join(',');
}

async function ask() {
  clearTimeout(timer);
  // A slider moves faster than answers come: the newest place is asked for when the last is there.
  if (isAsking) {
    isAskedAgain = true;
    return;
  }
  isAsking = true;
  try {
    const query = new URLSearchParams(location.search);
    query.delete('sort');
    query.set('have', have());
    const answer = await fetch(main.dataset.live + '?' + query, { credentials: 'same-origin' });
    if (answer.status === 200) apply(await answer.json());
    else if (answer.status !== 204) throw new Error(await reason(answer));
    if (failures > 0) connection.textContent = connected;
    failures = 0;
  } catch (error) {
    failures += 1;
    const words = error instanceof TypeError ? 'The server does not answer. This page shows what was last seen, and asks again.' : error.message;
    if (connection.textContent !== words) connection.textContent = words;
    connection.classList.add('lost');
  }
  if (failures === 0) connection.classList.remove('lost');
  isAsking = false;
  if (isAskedAgain) {
    isAskedAgain = false;
    ask();
    return;
  }
  wait();
}

async function reason(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const words = page.querySelector('p');
  return words ? words.textContent : 'The server answered with ' + answer.status + '.';
}

function wait() {
  clearTimeout(timer);
  if (document.visibilityState !== 'visible') return;
  timer = setTimeout(ask, failures > 0 ? Math.min(1000 * 2 ** failures, 30000) : again);
}

function apply(changes) {
  const known = new Map(parts().map((part) => [part.dataset.part, part]));
  let before = null;
  for (const { id, hash, html } of changes.parts) {
    let part = known.get(id);
    known.delete(id);
    if (!part) {
      part = document.createElement('div');
      part.dataset.part = id;
    }
    if (id !== 'header' && (before ? part.previousElementSibling !== before : part.parentNode !== main || part !== main.firstElementChild)) {
      main.insertBefore(part, before ? before.nextElementSibling : main.firstElementChild);
    }
    if (id !== 'header') before = part;
    // While something else was chosen since, the fields are newer than this answer.
    if (html !== undefined && !(id === 'controls' && isAskedAgain)) {
      morph(part, html);
      part.dataset.hash = hash;
    }
  }
  known.forEach((part) => part.remove());
  sorted();
  if (document.title !== changes.title) document.title = changes.title;
  again = changes.again;
  if (said !== changes.spoken) {
    said = changes.spoken;
    spoken.textContent = said;
  }
  document.dispatchEvent(new CustomEvent('wd-changed'));
}

// What is chosen in a form.
function chosen(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== '') query.append(name, value);
  const sort = new URLSearchParams(location.search).get('sort');
  if (sort) query.set('sort', sort);
  const text = query.toString();
  history.replaceState(null, '', location.pathname + (text ? '?' + text : '') + location.hash);
  ask();
}

// A slider and its number: each position is the same factor further.
function coupled(slider) {
  const field = slider.form.elements[slider.dataset.for];
  const share = slider.value / slider.max;
  const value = slider.dataset.low * (slider.dataset.high / slider.dataset.low) ** share;
  field.value = field.name === 'steps' ? String(Math.round(+value.toPrecision(3))) : String(+value.toPrecision(3));
}

document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-view]');
  if (!form) return;
  if (event.target.type === 'range') coupled(event.target);
  chosen(form);
});
document.addEventListener('submit', (event) => {
  if (!event.target.matches('form[data-view]')) return;
  event.preventDefault();
  chosen(event.target);
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') ask();
  else clearTimeout(timer);
});
window.addEventListener('online', ask);
document.documentElement.classList.add('scripted');
said = document.querySelector('.lead')?.textContent ?? '';
sorted();
wait();
