// Returns what can be seen of a report's page, for the test of a browser.
(() => {
  const lightness = ([r, g, b]) => {
    const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const paper = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const style = getComputedStyle(element);
    const ink = lightness(numbers(element.tagName === 'text' ? style.fill : style.color)), ground = lightness(paper(element));
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  };
  const hidden = [...document.querySelectorAll('table')].filter((e) => !e.checkVisibility({ contentVisibilityAuto: true })).length;
  const wider = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  for (const e of document.querySelectorAll('details')) e.open = true;
  const faint = [...document.body.querySelectorAll('*')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()) && e.checkVisibility() && contrast(e) < 4.5)
    .map((e) => `${e.textContent} ${contrast(e)}`);
  const figures = [...document.querySelectorAll('figure')];
  const drawn = figures.filter((f) => {
    const charts = [...f.querySelectorAll('svg')];
    const box = charts[0].getBoundingClientRect();
    return charts.length === 1 && charts[0].checkVisibility() && box.width > 300 && box.height > 100;
  });
  const lines = new Set([...(figures[0]?.querySelectorAll('path') ?? [])].filter((p) => /--line/.test(p.getAttribute('style'))).map((p) => getComputedStyle(p).stroke));
  return {
    Wider: wider || document.documentElement.scrollWidth > document.documentElement.clientWidth,
    Paper: getComputedStyle(document.body).backgroundColor,
    Figures: figures.length, Drawn: drawn.length, Lines: [...lines].length ? [...lines] : null,
    Faint: faint.length ? faint : null, Hidden: hidden,
  };
})()
