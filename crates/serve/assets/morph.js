// Makes an element what some HTML says, and leaves alone whatever is the same already: what has the
// focus keeps it, what was opened stays open, and what was typed stays typed.

export function morph(element, html) {
  const wanted = document.createElement('template');
  wanted.innerHTML = html;
  wd.enhance(wanted.content);
  children(element, wanted.content);
}

function children(from, to) {
  const wanted = Array.from(to.childNodes);
  let at = from.firstChild;
  for (const node of wanted) {
    if (at && alike(at, node)) {
      const next = at.nextSibling;
      same(at, node);
      at = next;
      continue;
    }
    // What stood here may come again further down: then only what is between is gone.
    const later = at && node.id ? sibling(at, node) : null;
    if (later) {
      while (at !== later) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      const next = at.nextSibling;
      same(at, node);
      at = next;
    } else {
      from.insertBefore(document.importNode(node, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function sibling(at, node) {
  for (let other = at.nextSibling; other; other = other.nextSibling) {
    if (other.id === node.id && alike(other, node)) return other;
  }
  return null;
}

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || '') === (b.id || '');
}

function same(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.hasAttribute('data-keep')) return;
  const isField = /^(INPUT|SELECT|TEXTAREA)$/i.test(from.nodeName);
  // What somebody is filling in is theirs.
  if (isField && from === document.activeElement) return;
  attributes(from, to);
  if (from.isEqualNode(to)) {
    if (isField) value(from, to);
    return;
  }
  children(from, to);
  if (isField) value(from, to);
}

function attributes(from, to) {
  const isDetails = from.nodeName === 'DETAILS';
  for (const { name, value } of Array.from(to.attributes)) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of Array.from(from.attributes)) {
    if (!to.hasAttribute(name) && !(isDetails && name === 'open')) from.removeAttribute(name);
  }
}

function value(from, to) {
  if (from.type === 'checkbox') from.checked = to.checked;
  else if (from.value !== to.value) from.value = to.value;
}
