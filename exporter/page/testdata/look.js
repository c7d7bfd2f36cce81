// Returns what can be seen of the page.
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
  const contrast = (element, part) => {
    const ink = lightness(numbers(getComputedStyle(element, part).color)), ground = lightness(paper(element));
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  };
  for (const e of document.querySelectorAll('details')) e.open = true;
  const seen = [...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility());
  const named = (list) => list.length ? list.map((e) => e.id || e.textContent.trim() || e.tagName) : null;
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  const drawn = [...document.querySelectorAll('canvas')].filter((canvas) => {
    const box = canvas.getBoundingClientRect();
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return box.width > 250 && box.height > 100 && data.some((v) => v > 0);
  });
  return {
    Wider: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    Out: named(seen.filter((e) => !e.closest('.scroll, .plot') && e.getBoundingClientRect().right > document.documentElement.clientWidth)),
    Paper: getComputedStyle(document.body).backgroundColor,
    Drawn: drawn.length,
    Faint: named(seen.filter((e) => says(e) && contrast(e) < 4.5 || e.placeholder && contrast(e, '::placeholder') < 4.5)),
    Cut: named(seen.filter((e) => (says(e) || e.tagName === 'BUTTON') && getComputedStyle(e).display !== 'inline' && e.scrollWidth > e.clientWidth + 1)),
    Nameless: named(seen.filter((e) => ['INPUT', 'BUTTON', 'A'].includes(e.tagName) && !e.labels?.length && !e.textContent.trim())),
    Small: named(seen.filter((e) => ['INPUT', 'BUTTON', 'SUMMARY'].includes(e.tagName) && e.getBoundingClientRect().height < 24)),
  };
})()
