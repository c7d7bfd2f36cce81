// How figures, times and states are written.

export const nothing = '–';

const number = (options) => {
  const format = new Intl.NumberFormat('en', options);
  return (value) => format.format(value);
};
const [whole, tenths, hundredths, three] = [
  { maximumFractionDigits: 0 }, { maximumFractionDigits: 1 }, { maximumFractionDigits: 2 }, { maximumSignificantDigits: 3 },
].map(number);
const cents = number({ style: 'currency', currency: 'USD', minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = number({ style: 'currency', currency: 'USD', maximumSignificantDigits: 2 });

const given = (write) => (value) => value === null || value === undefined ? nothing : write(value);

// plain writes a figure with as many digits as can be read at a glance.
export const plain = given((value) => {
  const size = Math.abs(value);
  return size >= 1000 ? whole(value) : size >= 10 ? tenths(value) : size >= 0.1 || size === 0 ? hundredths(value) : three(value);
});

export const rate = given((value) => `${plain(value)} /s`);

export const latency = given((seconds) => {
  if (seconds >= 1) return `${three(seconds)} s`;
  return seconds >= 1e-3 ? `${three(seconds * 1e3)} ms` : `${three(seconds * 1e6)} µs`;
});

// share writes a part of 1; what is not all or nothing never reads as that.
export const share = given((value) => {
  const percent = value * 100;
  if (percent > 0 && percent < 0.01) return '< 0.01 %';
  if (percent > 99.99 && percent < 100) return '> 99.99 %';
  return `${hundredths(percent)} %`;
});

export const money = given((usd) => usd === 0 || usd >= 0.01 ? cents(usd) : fine(usd));

// span writes how long something lasts.
export function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.max(0, Math.floor(seconds))} s`;
}

// clock writes a time of today by its hours, any other with its day.
export function clock(time) {
  const text = new Date(time).toISOString();
  const [day, hours] = [text.slice(0, 10), text.slice(11, 19)];
  return day === new Date().toISOString().slice(0, 10) ? hours : `${day} ${hours}`;
}

export const sources = {
  config: 'configuration', stage: 'stage', api: 'API', reload: 'reload', ttl: 'time limit', guard: 'guard', fleet: 'fleet',
};

const limits = {
  guard_errors: 'The error guard holds the rate down: too many requests failed. It climbs back by itself.',
  guard_cost: 'The cost guard holds the rate at what safety.max_usd_per_hour buys.',
  guard_bytes: 'The byte guard makes uploads reads until the day has room again (safety.max_written_per_day).',
  max_in_flight: 'Too many requests are in flight (load.max_in_flight), the rest is dropped: the target is too slow for this rate.',
  ramp: 'The rate is on its ramp.',
  paused: 'The load is paused: nothing is sent.',
  ledger: 'The ledger takes no more: objects that exist are neither changed nor deleted until its volume has room.',
  fleet: 'This replica waits for its share of the fleet’s rate.',
};

// limit says in plain words what holds the load.
export const limit = (name) => name ? limits[name] ?? `The load is limited by ${name}.` : 'Nothing holds the load down.';
