// The page itself: light or dark, and commands that are copied.

const root = document.documentElement;
// Each is given a part of the page, and adds what only a script can do.
const enhancers = [pasted];

function enhance(part) {
  enhancers.forEach((add) => add(part));
}

function labelled(className, text) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  return made;
}

function isDark() {
  if (root.dataset.theme) return root.dataset.theme === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

function theme() {
  const button = labelled('theme', '');
  const name = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    name();
  });
  name();
  document.querySelector('nav').appendChild(button);
}
theme();

// Commands and calls are there to be pasted.
function pasted(part) {
  part.querySelectorAll('pre').forEach((pre) => {
    const box = document.createElement('div');
    box.className = 'pasted';
    pre.replaceWith(box);
    box.append(pre, labelled('copy', 'Copy'));
  });
}

function copied(copy) {
  const pre = copy.parentNode.querySelector('pre');
  function done(word) {
    copy.textContent = word;
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  }
  function select() {
    getSelection().selectAllChildren(pre);
    done(document.execCommand('copy') ? 'Copied' : 'Selected');
  }
  // A page from a file may not be allowed to write the clipboard: then what is to be copied is
  // selected.
  if (!navigator.clipboard) select();
  else navigator.clipboard.writeText(pre.textContent).then(() => done('Copied'), select);
}

document.addEventListener('click', (event) => {
  const copy = event.target.closest('button.copy');
  if (copy) copied(copy);
});
