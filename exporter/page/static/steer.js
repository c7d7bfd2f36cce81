// The form that changes the load, and who may use it.
import { plain, clock, share } from './words.js';

const by = (id) => document.getElementById(id);
const scenarios = ['atomics', 'blobs', 'cache', 'contended', 'crud', 'mixed', 'queries'];
const storage = `opensaves-soak control token ${new URL('.', location).pathname}`; // others of this origin are not to get it
const tokenNeeded = 'urn:opensaves-soak:control-token'; // a type of problem
const again = 3000; // ms before asking again who may steer

let basis; // the load when a change was begun, with its version
let asking; // the timer of asking again

// call asks the daemon, and returns status, version and what it says.
async function call(method, body, version) {
  const headers = {};
  const token = sessionStorage.getItem(storage);
  if (token && method !== 'GET') headers['X-Control-Token'] = token; // Authorization may be that of basic auth
  if (version) headers['If-Match'] = version;
  const answer = await fetch('api/v1/load', { method, headers, body: body && JSON.stringify(body), cache: 'no-store', signal: AbortSignal.timeout(10000) });
  const text = await answer.text();
  let said = {};
  try { said = JSON.parse(text); } catch { said = { detail: text.slice(0, 200) }; }
  return { status: answer.status, version: answer.headers.get('ETag'), said };
}

// begun is the load that a change is made from: the one at its first key.
export const begun = () => basis ??= call('GET');

// access finds out whether this page may steer: a change of nothing tells.
export async function access() {
  clearTimeout(asking);
  try {
    permit(await call('PATCH', {}));
  } catch (error) {
    doubt(error.message);
  }
}

// doubt leaves all as it is until the daemon says who may.
function doubt(why) {
  by('access').textContent = `The daemon does not say whether this page may steer, and is asked again: ${why}.`;
  clearTimeout(asking);
  asking = setTimeout(() => document.hidden || access(), again);
}

function permit({ status, said }) {
  const [may, needs] = [status === 200, said.type === tokenNeeded];
  const why = said.detail ?? `got status ${status}`;
  if (!may && !needs && status !== 403) return doubt(why);
  by('steer-form').hidden = !may;
  by('token-form').hidden = !needs;
  const wrong = needs && sessionStorage.getItem(storage);
  if (wrong) sessionStorage.removeItem(storage);
  document.body.dataset.access = may ? 'free' : needs ? 'token' : 'read-only';
  by('access').textContent = may ? ''
    : needs ? (wrong ? 'This is not the control token. ' : '') + 'Who steers needs the control token. It is kept until this tab is closed.'
      : `Read-only: ${why}.`;
}

// show keeps the form's hints at what is in force.
export function show(load) {
  by('rps-hint').textContent = `now ${plain(load.rps)}, at most ${plain(load.max_rps)} a second`;
  by('rps').placeholder = load.rps;
  by('ttl').placeholder = load.expires ? `ends ${clock(load.expires)}` : 'such as 2h';
  by('ttl-hint').textContent = load.expires
    ? `What was set over the API ends at ${clock(load.expires)} UTC; 0s takes the limit away.`
    : 'When it ends, the configuration holds again. Without one here, load.default_ttl of the configuration applies.';
  [by('pause').textContent, by('pause').value] = load.paused ? ['Resume', 'resume'] : ['Pause', 'pause'];
  by('read-ratio').placeholder = load.read_ratio;
  for (const name of scenarios) by(`weight-${name}`).placeholder = load.scenarios[name] ?? 0;
}

const filled = (id) => by(id).value.trim();

// changes is what the filled fields ask for.
function changes(from) {
  const body = {};
  if (filled('rps')) body.rps = Number(filled('rps'));
  if (filled('rps') || filled('ramp')) body.ramp = filled('ramp') || null;
  if (filled('ttl')) body.ttl = filled('ttl');
  if (filled('read-ratio')) body.read_ratio = Number(filled('read-ratio'));
  const weights = scenarios.filter((name) => filled(`weight-${name}`)).map((name) => [name, Number(filled(`weight-${name}`))]);
  if (weights.length) body.scenarios = { ...from.scenarios, ...Object.fromEntries(weights) };
  return body;
}

// actions are what the buttons ask for that need no field but the reason.
const actions = {
  pause: { paused: true },
  resume: { paused: null },
  configuration: { rps: null, ramp: null, ttl: null, scenarios: null, read_ratio: null, paused: null },
};

function tell(text, state) {
  by('outcome').textContent = text;
  by('outcome').dataset.state = state;
}

// done says what holds after a change.
function done(now) {
  const rate = now.paused ? 'the load is paused' : `${plain(now.rps)} requests a second are asked`;
  const mix = Object.keys(now.scenarios).length ? `, ${share(now.read_ratio)} reads in mixed` : '';
  const end = now.expires ? `, until ${clock(now.expires)} UTC` : '';
  tell(`Done at ${clock(Date.now())} UTC: ${rate}${mix}${end}.`, 'good');
}

async function submit(event) {
  event.preventDefault();
  const action = event.submitter?.value ?? 'apply';
  const form = by('steer-form');
  if (form.ariaBusy === 'true' || !by('reason').reportValidity()) return;
  form.ariaBusy = 'true';
  try {
    await change(action, form);
  } catch (error) {
    basis = undefined;
    tell(`No answer (${error.message}). Whether the load was changed, the figures above show.`, 'bad');
  }
  form.ariaBusy = 'false';
}

async function change(action, form) {
  const from = await begun();
  const body = actions[action] ?? changes(from.said);
  if (Object.keys(body).length === 0) return tell('Nothing is filled in but the reason.', 'bad');
  const answer = await call('PATCH', { ...body, reason: filled('reason') }, from.version);
  if (answer.status === 200) {
    show(answer.said);
    if (answer.version === from.version) return tell('Nothing has changed: it is so already. A ramp or a time limit needs something that is set over the API.', 'bad');
    basis = undefined;
    form.reset();
    return done(answer.said);
  }
  if (answer.status === 401 || answer.status === 403) permit(answer);
  if (answer.status !== 412) return tell(`Not changed (${answer.status}): ${answer.said.detail}`, 'bad');
  basis = undefined;
  const { said: now } = await begun();
  show(now);
  tell(`Not changed (412): somebody else changed the load since you began. Now ${plain(now.rps)} requests a second are asked${now.paused ? ', paused' : ''}. Press again to change that.`, 'bad');
}

// build makes the form work.
export function build() {
  by('weights').append(...scenarios.map((name) => {
    const label = document.createElement('label'), input = document.createElement('input');
    Object.assign(input, { id: `weight-${name}`, type: 'number', min: 0, step: 'any', inputMode: 'decimal', autocomplete: 'off' });
    label.append(name, input);
    return label;
  }));
  by('steer-form').addEventListener('input', () => begun().catch(() => { basis = undefined; }));
  by('steer-form').addEventListener('submit', submit);
  by('steer-form').addEventListener('invalid', (event) => event.target.closest('details')?.setAttribute('open', ''), true);
  by('token-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    sessionStorage.setItem(storage, filled('token'));
    event.target.reset();
    await access();
  });
}
