'use strict';
// The page: one map of places, kept up to date by the stream of events, and
// drawn at most a few times a second. Whatever comes from the tree is put in
// as text, never as markup.

const $ = (id) => document.getElementById(id);
const places = new Map(); // path -> place, with children and history
let root = null;          // path of the root
let limit = 200;          // rows that are drawn
let selected = null;      // path of the child that is shown
let skew = 0;             // the tree's clock less ours, in ms
let dirty = true;
const tones = { running: 'good', starting: 'wait', restarting: 'wait', stopping: 'wait', stuck: 'bad', exited: 'bad', down: 'dim' };
const verbs = { bounce: 'Restart', terminate: 'Stop', start: 'Start', reload: 'Reload', restart_all: 'Restart all', roll: 'Roll' };

function element(tag, text, classes) {
  const e = document.createElement(tag);
  if (text !== undefined && text !== null) e.textContent = text;
  if (classes) e.className = classes;
  return e;
}

// Times and sizes.
const now = () => Date.now() + skew;
function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min ' + (s % 60) + ' s';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
  return Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
}
const clock = (t) => new Date(t).toLocaleTimeString();
const size = (n) => n >= 1 << 30 ? (n / (1 << 30)).toFixed(1) + ' GiB' : (n / (1 << 20)).toFixed(1) + ' MiB';

// The places.
function put(row) {
  const old = places.get(row.path);
  row.children = old ? old.children : [];
  row.folded = old ? old.folded : null;
  row.cpus = keep(old && old.cpus, row.cpu);
  row.memories = keep(old && old.memories, row.memory);
  places.set(row.path, row);
  if (old) return;
  const cut = row.path.lastIndexOf('/');
  const above = cut < 0 ? null : places.get(row.path.slice(0, cut));
  if (above) above.children.push(row.path);
  else if (root === null) root = row.path;
}
function keep(values, value) {
  const kept = values || [];
  if (value) kept.push(value);
  if (kept.length > 60) kept.shift();
  return kept;
}
function drop(path) {
  const cut = path.lastIndexOf('/');
  const above = places.get(path.slice(0, cut));
  if (above) above.children = above.children.filter((p) => p !== path);
  places.delete(path);
}
const folded = (p) => p.folded === null ? p.children.length > 50 : p.folded;

// wanted lists the paths to draw, with their depth.
function wanted() {
  const text = $('search').value.toLowerCase(), state = $('state').value, list = [];
  const fits = (p) => (!text || p.path.toLowerCase().includes(text)) &&
    (!state || (state === '!' ? p.state !== 'running' : p.state === state));
  if (text || state) {
    for (const p of places.values()) if (fits(p)) list.push([p, 0, true]);
    return list;
  }
  const walk = (path, depth) => {
    const p = places.get(path);
    if (!p) return;
    list.push([p, depth, false]);
    if (!folded(p)) for (const c of p.children) { if (list.length > limit) break; walk(c, depth + 1); }
  };
  if (root !== null) walk(root, 0);
  return list;
}

// Drawing.
function nameCell(p, depth, whole) {
  const cell = element('td');
  cell.style.paddingLeft = (0.3 + depth * 1.2) + 'rem';
  if (p.children.length && !whole) {
    const fold = element('button', folded(p) ? '▸' : '▾', 'fold');
    fold.type = 'button';
    fold.dataset.fold = p.path;
    fold.setAttribute('aria-expanded', String(!folded(p)));
    fold.setAttribute('aria-label', 'children of ' + p.path);
    cell.append(fold);
  } else cell.append(element('span', '', 'leaf'));
  const name = element('button', whole ? p.path : p.path.slice(p.path.lastIndexOf('/') + 1), 'name');
  name.type = 'button';
  name.dataset.show = p.path;
  cell.append(name);
  if (p.children.length) cell.append(element('span', ' ' + p.children.length, 'dim'));
  return cell;
}
function windowCell(p) {
  const cell = element('td');
  if (!p.limit || p.limit < 0) { if (p.window) cell.textContent = p.window; return cell; }
  const meter = element('meter');
  meter.max = p.limit; meter.value = p.window || 0; meter.high = p.limit * 0.75;
  meter.setAttribute('aria-label', (p.window || 0) + ' of ' + p.limit + ' restarts');
  cell.append(meter, ' ' + (p.window || 0) + '/' + p.limit);
  return cell;
}
function line(values) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('width', 60); svg.setAttribute('height', 14); svg.setAttribute('aria-hidden', 'true');
  const most = Math.max(0.01, ...values);
  const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  drawn.setAttribute('points', values.map((v, i) => i + ',' + (13 - 12 * v / most).toFixed(1)).join(' '));
  svg.append(drawn);
  return svg;
}
function drawRow([p, depth, whole]) {
  const tr = element('tr');
  const state = element('td', p.state + (p.held ? ' (by an operator)' : ''), tones[p.state]);
  const since = element('td', span(now() - Date.parse(p.since)));
  since.dataset.since = p.since;
  const exit = element('td', '', 'exit');
  if (p.last_exit) {
    exit.textContent = p.last_exit.cause + ' at ' + clock(p.last_exit.at);
    exit.title = p.last_exit.text;
    exit.append(element('span', ' ' + p.last_exit.text.slice(0, 160), 'dim'));
  }
  const next = element('td');
  if (p.next_attempt) { next.dataset.until = p.next_attempt; next.textContent = 'in ' + span(Date.parse(p.next_attempt) - now()); }
  const cpu = element('td', p.pid ? (100 * (p.cpu || 0)).toFixed(0) + ' %' : '', 'number');
  const memory = element('td', p.memory ? size(p.memory) : '', 'number');
  if (p.pid) { cpu.append(line(p.cpus)); memory.append(line(p.memories)); }
  tr.append(nameCell(p, depth, whole), state, since, element('td', p.restarts || '', 'number'), windowCell(p), exit, next,
    cpu, memory);
  return tr;
}
function draw() {
  dirty = false;
  const focus = document.activeElement && (document.activeElement.dataset.show || document.activeElement.dataset.fold);
  const fold = document.activeElement && document.activeElement.dataset.fold;
  const list = wanted(), rows = $('rows');
  rows.replaceChildren(...list.slice(0, limit).map(drawRow));
  if (focus) {
    for (const b of rows.querySelectorAll('button')) {
      if ((fold ? b.dataset.fold : b.dataset.show) === focus) { b.focus(); break; }
    }
  }
  $('more').replaceChildren();
  if (list.length > limit) {
    const more = element('button', 'Show more');
    more.type = 'button';
    more.onclick = () => { limit += 200; draw(); };
    $('more').append(more);
  }
  const counts = {};
  for (const p of places.values()) counts[p.state] = (counts[p.state] || 0) + 1;
  $('summary').textContent = Object.entries(counts).sort().map(([s, n]) => n + ' ' + s).join(', ');
}

// The clock of the page: durations and countdowns run by themselves.
function tick() {
  for (const e of document.querySelectorAll('[data-since]')) e.textContent = span(now() - Date.parse(e.dataset.since));
  for (const e of document.querySelectorAll('[data-until]')) {
    const left = Date.parse(e.dataset.until) - now();
    e.textContent = left > 0 ? 'in ' + span(left) : 'now';
  }
}

// One child.
async function show(path, keepFocus) {
  const answer = await fetch('child?path=' + encodeURIComponent(path));
  if (!answer.ok) { if (selected === path) hide(); return; }
  const c = await answer.json();
  selected = path;
  history.replaceState(null, '', '#' + path);
  $('child').hidden = false;
  $('child-title').textContent = c.path;
  const facts = [['state', c.state + (c.held ? ', stopped by an operator' : '')], ['since', new Date(c.since).toLocaleString()],
    ['incarnation', c.incarnation], ['restarts', c.restarts], ['process', c.pid], ['says', c.says], ['strategy', c.strategy],
    ['next try', c.next_attempt && new Date(c.next_attempt).toLocaleTimeString()]];
  $('facts').replaceChildren(...facts.filter(([, v]) => v).flatMap(([k, v]) => [element('dt', k), element('dd', v)]));
  $('deaths').replaceChildren(...c.deaths.map((d) => {
    const item = element('li', new Date(d.at).toLocaleString() + ', run ' + d.incarnation + ' after ' + span(1000 * d.lived_seconds) + ': ' + d.text);
    if (d.stack) item.append(element('pre', d.stack));
    if (d.output) item.append(element('pre', d.output.join('\n')));
    return item;
  }));
  $('output').textContent = c.output.join('\n');
  $('spec').textContent = JSON.stringify(c.spec, null, 1);
  $('acts').replaceChildren(...c.may.filter((a) => fitsAct(a, c)).map((a) => {
    const b = element('button', verbs[a] || a);
    b.type = 'button';
    b.onclick = () => act(a, path);
    return b;
  }));
  if (!keepFocus) { $('answer').textContent = ''; $('child-title').focus(); }
}
function fitsAct(a, c) {
  if (a === 'restart_all' || a === 'roll') return c.kind === 'supervisor';
  if (c.path === root) return false;
  if (a === 'start') return c.state === 'down';
  if (a === 'terminate') return c.state !== 'down';
  if (a === 'reload') return Boolean(c.pid);
  return true;
}
function hide() { selected = null; history.replaceState(null, '', '#'); $('child').hidden = true; }
async function act(action, path) {
  $('answer').textContent = verbs[action] + ' …';
  const answer = await fetch('action', { method: 'POST', body: new URLSearchParams({ do: action, path, n: '1' }) });
  let said = answer.ok ? 'done' : 'refused';
  try { const a = await answer.json(); if (a.error) said = a.error; } catch { /* a plain refusal */ }
  $('answer').textContent = verbs[action] + ': ' + said;
  show(path, true);
}

// The events.
const kinds = new Set();
function tell(e) {
  if (!kinds.has(e.kind)) { kinds.add(e.kind); $('event-kind').append(element('option', e.kind)); }
  if ($('pause').checked) return;
  let text = clock(e.time) + '  ' + (e.path || '') + (e.incarnation ? ' #' + e.incarnation : '') + '  ' + e.kind;
  if (e.reason) text += ' (' + e.reason + ')';
  if (e.text) text += ': ' + e.text;
  if (e.next) text += ', ' + e.next + (e.wait_seconds ? ' in ' + span(1000 * e.wait_seconds) : '');
  if (e.missed) text += ': ' + e.missed + ' more';
  const calm = ['normal', 'stop', 'group', 'bounce'].includes(e.cause);
  const bad = e.kind === 'gave_up' || e.kind === 'stuck' || (e.kind === 'exited' && !calm);
  const item = element('li', text, bad ? 'bad' : '');
  item.dataset.path = e.path || ''; item.dataset.kind = e.kind;
  item.hidden = !told(item);
  $('events').prepend(item);
  while ($('events').children.length > 500) $('events').lastChild.remove();
}
const told = (item) => (!$('event-path').value || item.dataset.path.includes($('event-path').value)) &&
  (!$('event-kind').value || item.dataset.kind === $('event-kind').value);
function refilter() { for (const item of $('events').children) item.hidden = !told(item); }

// The stream.
async function load() {
  const answer = await fetch('tree');
  if (!answer.ok) throw new Error(answer.status);
  const tree = await answer.json();
  skew = Date.parse(tree.time) - Date.now();
  const there = new Set(tree.places.map((p) => p.path));
  for (const path of [...places.keys()]) if (!there.has(path)) drop(path);
  for (const row of tree.places) put(row);
  $('title').textContent = document.title = root || 'Supervision tree';
  dirty = true;
  return tree.seq;
}
function follow(seq) {
  const source = new EventSource('events?rows&after=' + seq);
  // What changed between the first look at the tree and the stream is in a second look.
  source.onopen = () => { $('link').textContent = ''; load().catch(() => {}); };
  source.onerror = () => {
    $('link').textContent = 'No connection; trying again.';
    source.close();
    setTimeout(begin, 1000);
  };
  source.addEventListener('rows', (m) => {
    const data = JSON.parse(m.data);
    for (const path of data.gone || []) drop(path);
    for (const row of data.places || []) put(row);
    dirty = true;
    if (selected && (data.places || []).some((p) => p.path === selected)) show(selected, true);
  });
  for (const kind of ['event', 'missed', 'audit']) source.addEventListener(kind, (m) => tell(JSON.parse(m.data)));
}
async function begin() {
  try { follow(await load()); } catch { $('link').textContent = 'No connection; trying again.'; setTimeout(begin, 1000); }
}

// What the viewer does.
$('rows').addEventListener('click', (e) => {
  const button = e.target.closest('button');
  if (!button) return;
  if (button.dataset.show) { show(button.dataset.show); return; }
  const p = places.get(button.dataset.fold);
  p.folded = !folded(p);
  draw();
});
for (const id of ['search', 'state']) $(id).addEventListener('input', () => { limit = 200; dirty = true; });
for (const id of ['event-path', 'event-kind']) $(id).addEventListener('input', refilter);
for (const id of ['filters', 'event-filters']) $(id).addEventListener('submit', (e) => e.preventDefault());
$('close').addEventListener('click', hide);
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && selected) hide();
  if (e.key === '/' && document.activeElement.tagName !== 'INPUT') { e.preventDefault(); $('search').focus(); }
});
setInterval(() => { if (dirty) draw(); }, 200);
setInterval(tick, 1000);
begin();
if (location.hash.length > 1) show(decodeURIComponent(location.hash.slice(1)));
