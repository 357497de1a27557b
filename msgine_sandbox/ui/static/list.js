// A list of any length, of which only what can be seen is in the page.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";

const SPARE = 6; // rows above and below

export function List({ items, rem, row, label, testid, selected }) {
  const height = rem * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const frame = useRef(null);
  const first = useRef(null);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(800);

  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setRoom(entry.contentRect.height));
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);

  // Who reads further down is not moved by what comes in on top.
  useLayoutEffect(() => {
    const added = first.current ? items.findIndex((each) => each.id === first.current) : 0;
    if (added > 0 && frame.current.scrollTop > 0) frame.current.scrollTop += added * height;
    first.current = items[0]?.id ?? null;
  });

  useLayoutEffect(() => {
    if (selected == null || selected < 0) return;
    const { current } = frame;
    if (selected * height < current.scrollTop) current.scrollTop = selected * height;
    else if ((selected + 1) * height > current.scrollTop + current.clientHeight) {
      current.scrollTop = (selected + 1) * height - current.clientHeight;
    }
  }, [items[selected]?.id]); // not its place, which moves with what comes in

  const from = Math.max(Math.floor(top / height) - SPARE, 0);
  const shown = items.slice(from, Math.ceil((top + room) / height) + SPARE);
  return html`<div class="list" ref=${frame} onScroll=${(event) => setTop(event.target.scrollTop)}
      data-testid=${testid}>
    <ul aria-label=${label} style=${{ height: `${items.length * height}px` }}>
      ${shown.map((item, n) => html`<li key=${item.id} aria-posinset=${from + n + 1}
          aria-setsize=${items.length} style=${{ top: `${(from + n) * height}px`, height: `${height}px` }}>
        ${row(item, from + n)}
      </li>`)}
    </ul>
  </div>`;
}
