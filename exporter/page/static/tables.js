// The tables.
import { plain, latency, share, span, clock, sources, nothing } from './words.js';

// fill writes rows of cells into the body of a table, and touches only what is new:
// a reader's selection survives.
function fill(id, rows, numbers, none) {
  const body = document.getElementById(id);
  body.closest('table').classList.toggle('empty', rows.length === 0);
  if (rows.length === 0) rows = [[none]];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, i) => {
    const row = body.rows[i] ?? body.insertRow();
    row.className = '';
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((text, j) => {
      const cell = row.cells[j] ?? row.insertCell();
      cell.className = rows[0].length > 1 && numbers.includes(j) ? 'number' : '';
      cell.colSpan = cells.length === 1 ? 5 : 1;
      if (cell.textContent !== text) cell.textContent = text;
    });
  });
}

export function showOperations(operations) {
  const rows = operations.map((o) => [o.operation, plain(o.rps), share(o.failed_ratio), latency(o.p50_seconds), latency(o.p99_seconds)]);
  fill('operations', rows, [1, 2, 3, 4], 'No request in the last 10 seconds.');
}

const names = { eks: 'EKS', dynamodb: 'DynamoDB', s3: 'S3', redis: 'Redis' };

const measured = (value, unit) => value === null ? nothing : unit === 'share' ? share(value) : `${plain(value)} ${unit === 'a second' ? '/s' : unit}`.trim();

export function showComponents(components) {
  const rows = components.map((c) => [
    names[c.component] ?? c.component, c.name, measured(c.value, c.unit), measured(c.limit, c.unit), c.age_seconds === null ? nothing : span(c.age_seconds),
  ]);
  fill('components', rows, [2, 3, 4], 'AWS is not watched from here (cloudwatch in the configuration; of a fleet its leader watches).');
  components.forEach((c, i) => {
    const over = c.limit !== null && c.value > c.limit;
    document.getElementById('components').rows[i].classList.toggle('over', over);
  });
}

const shown = 10; // the rest is at api/v1/load/changes

export async function showChanges() {
  const answer = await fetch('api/v1/load/changes', { signal: AbortSignal.timeout(10000) });
  if (!answer.ok) return;
  const { changes } = await answer.json();
  const rows = changes.slice(0, shown).map((c) => [clock(c.time), `${plain(c.from)} → ${plain(c.to)}`, sources[c.source] ?? c.source, c.reason || nothing]);
  fill('changes', rows, [], 'No change since the daemon started.');
}
