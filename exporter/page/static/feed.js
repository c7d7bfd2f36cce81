// Follows what the daemon streams, and notices when it does so no more.

const quiet = 5000; // ms without a moment: the connection counts as lost
const dead = 15000; // ms: it is given up for a new one
const pause = 3000; // ms before a new one where the browser has given up itself

// follow tells of each opened connection, each list of moments, the oldest first,
// and of the state: "loading", "live", or "lost" with the time of the last sign of
// life. A hidden page lets go of its connection, and has what it missed when it is
// shown: over HTTP/1.1 a browser opens six to a host, for all tabs together.
export function follow({ opened, moments, state }) {
  let source, started, heard;
  const hear = (list) => {
    heard = Date.now();
    state('live');
    moments(list);
  };
  const open = () => {
    source?.close();
    started = Date.now();
    source = new EventSource('api/v1/live');
    source.onopen = opened;
    source.onerror = () => state('lost', heard);
    source.addEventListener('history', (event) => moments(JSON.parse(event.data).moments));
    source.addEventListener('moment', (event) => hear([JSON.parse(event.data)]));
  };
  const turn = () => {
    heard = Date.now();
    state('loading');
    if (document.hidden) source?.close();
    else open();
  };
  const look = () => {
    if (document.hidden) return;
    const now = Date.now();
    if (now - heard > quiet) state('lost', heard);
    const patience = source.readyState === EventSource.CLOSED ? pause : dead;
    if (now - Math.max(heard, started) > patience) open();
  };
  turn();
  document.addEventListener('visibilitychange', turn);
  setInterval(look, 1000);
}
