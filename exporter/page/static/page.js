// Shows what the daemon tells, each second.
import * as charts from './charts.js';
import * as steer from './steer.js';
import { follow } from './feed.js';
import { showOperations, showComponents, showChanges } from './tables.js';
import { plain, rate, latency, share, money, span, clock, limit, sources } from './words.js';

const by = (id) => document.getElementById(id);

let latest; // moment
let restarted; // when the daemon started again, as far as this page has seen
let shown; // the load of the changes that are shown

// put writes a figure, its unit smaller, and what there is to say of it.
function put(id, text, note, bad = false) {
  const [figure, ...unit] = text.split(' ');
  const value = by(id), small = value.querySelector('small') ?? document.createElement('small');
  small.textContent = unit.join(' ');
  value.replaceChildren(figure, ...(unit.length ? [' ', small] : []));
  value.classList.toggle('bad', bad);
  by(`${id}-note`).textContent = note;
}

function list(id, texts) {
  const kept = [...by(id).children].map((item) => item.textContent);
  if (kept.join('\n') === texts.join('\n')) return;
  by(id).replaceChildren(...texts.map((text) => {
    const item = document.createElement('li');
    item.textContent = text;
    return item;
  }));
}

const wire = (m) => m.target.protocol === 'grpc' ? 'gRPC' : 'REST';

function showTitle(m) {
  const { name, backend } = m.target;
  by('target').textContent = name;
  by('about').textContent = [wire(m), backend, `running for ${span((Date.parse(m.time) - Date.parse(m.started)) / 1000)}`].filter(Boolean).join(' · ');
  by('version').textContent = m.version;
  // A hidden page hears of nothing, so its title has no figure.
  document.title = `${m.wrong_answers && !document.hidden ? `(${m.wrong_answers} wrong) ` : ''}${name} · opensaves-soak`;
}

function showFigures(m) {
  const { load } = m, of = (part, whole, words) => part === null || !whole ? '' : `${share(part / whole)} ${words}`;
  const from = load.stage === null ? sources[load.source] ?? load.source : `stage ${load.stage + 1}`;
  put('asked', rate(m.asked_rps), `${from}, cap ${plain(load.max_rps)}`);
  put('achieved', rate(m.achieved_rps), of(m.achieved_rps, charts.asked(), 'of asked'));
  put('p99', latency(m.p99_seconds), `p50 ${latency(m.p50_seconds)}`);
  put('wrong', plain(m.wrong_answers), m.judged_ratio === null ? 'since the start' : `since the start; ${share(m.judged_ratio)} judged`, m.wrong_answers > 0);
  put('dropped', rate(m.dropped_rps), of(m.dropped_rps, charts.asked(), 'of asked'), m.dropped_rps > 0);
  put('failed', rate(m.failed_rps), of(m.failed_rps, m.achieved_rps, 'of requests'), m.failed_rps > 0);
  const hourly = m.cost_usd_per_hour, million = m.cost_usd_per_million_requests;
  put('cost', money(hourly), hourly === null ? 'AWS is not watched' : million === null ? '' : `${money(million)} a million`);
}

function showStates(m) {
  const { load } = m, { replica } = load, fleet = replica.count > 1;
  const fresh = restarted && Date.parse(m.time) - Date.parse(restarted) < 15 * 60 * 1000;
  list('badges', [
    load.paused && 'Paused', m.warmup && 'Warm-up', fleet && `Replica ${replica.index + 1} of ${replica.count}`,
    document.body.dataset.access === 'read-only' && 'Read-only', fresh && 'Daemon restarted',
  ].filter(Boolean));
  list('notes', [
    limit(load.limited_by),
    m.warmup && 'Warm-up: the working set is being written; these figures count for no objective yet.',
    load.expires && `What was set over the API ends at ${clock(load.expires)} UTC, in ${span((Date.parse(load.expires) - Date.parse(m.time)) / 1000)}.`,
    fleet && `These figures are of this replica alone, which has ${rate(replica.share_rps)} of the fleet’s ${rate(load.rps)}. What you set holds for the whole fleet.`,
    load.skipped_operations.length > 0 && `${load.skipped_operations.length} operations of the mix are left out: ${wire(m)} lacks them.`,
    fresh && `The daemon restarted at ${clock(restarted)} UTC: its counts began anew.`,
  ].filter(Boolean));
}

function draw() {
  if (!latest) return;
  showTitle(latest);
  if (document.hidden) return;
  charts.draw();
  showFigures(latest);
  showStates(latest);
  showOperations(latest.operations);
  showComponents(latest.components);
  steer.show(latest.load);
}

// refresh asks for the changes when the load has become another.
function refresh({ rps, paused, source, stage, scenarios, read_ratio, limited_by, expires }) {
  const now = JSON.stringify([rps, paused, source, stage, scenarios, read_ratio, limited_by, expires]);
  if (now === shown) return;
  shown = now;
  showChanges().catch(() => { shown = undefined; });
}

function take(moments) {
  charts.take(moments);
  const last = moments.at(-1);
  if (!last?.load) return;
  if (latest && latest.started !== last.started) restarted = last.started;
  latest = last;
  draw();
  refresh(latest.load);
}

const states = { loading: 'Loading …', live: 'Live' };

function setState(name, since) {
  const state = by('state'), text = states[name] ?? `Connection lost since ${clock(since)} UTC`;
  if (state.textContent === text) return;
  state.textContent = text;
  state.dataset.state = name;
  by('main').dataset.state = name;
}

function opened() {
  steer.access().then(() => draw());
  shown = undefined;
}

charts.build();
steer.build();
document.addEventListener('visibilitychange', draw);
follow({ opened, moments: take, state: setState });
