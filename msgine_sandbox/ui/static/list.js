// Long lists: only the rows that can be seen are in the document; j and k open the next row.
import { ignoresShortcuts } from "./keyboard.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";

const EXTRA_ROWS = 6; // above and below the visible ones, so that scrolling shows no gaps

// `rowHeight` is in rem, and the same for all rows at a time; `selected` is an index, or -1;
// `onEnd` is called when the last rows are shown.
export function VirtualList({ items, rowHeight, row, label, testid, selected, onEnd }) {
  const height = rowHeight * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const frame = useRef(null);
  const firstId = useRef(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [frameHeight, setFrameHeight] = useState(800);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setFrameHeight(entry.contentRect.height));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);

  // Rows of another height, as of a wide window: the first one that is visible stays the first.
  // By the place that is known here, because a shorter list has moved already.
  const heightBefore = useRef(height);
  useLayoutEffect(() => {
    if (height !== heightBefore.current) {
      frame.current.scrollTop = (scrollTop * height) / heightBefore.current;
    }
    heightBefore.current = height;
  }, [height]);

  // New rows are added at the top: keep what is visible where it is, unless the top is visible.
  useLayoutEffect(() => {
    const added = firstId.current ? items.findIndex((item) => item.id === firstId.current) : 0;
    if (added > 0 && frame.current.scrollTop > 0) frame.current.scrollTop += added * height;
    firstId.current = items[0]?.id ?? null;
  });

  useLayoutEffect(() => {
    if (selected < 0) return;
    const { current } = frame;
    if (selected * height < current.scrollTop) current.scrollTop = selected * height;
    else if ((selected + 1) * height > current.scrollTop + current.clientHeight) {
      current.scrollTop = (selected + 1) * height - current.clientHeight;
    }
  }, [items[selected]?.id]); // not its index, which changes with every new row

  const from = Math.max(Math.floor(scrollTop / height) - EXTRA_ROWS, 0);
  const to = Math.ceil((scrollTop + frameHeight) / height) + EXTRA_ROWS;
  // Not an effect after painting: by then further rows may have come, which it would not know of.
  useLayoutEffect(() => {
    if (to >= items.length) onEnd();
  });
  return html`<div class="list" ref=${frame} data-testid=${testid}
      onScroll=${(event) => setScrollTop(event.target.scrollTop)}>
    <ul aria-label=${label} style=${{ height: `${items.length * height}px` }}>
      ${items.slice(from, to).map((item, n) => html`<li key=${item.id}
          aria-posinset=${from + n + 1} aria-setsize=${items.length}
          style=${{ top: `${(from + n) * height}px`, height: `${height}px` }}>
        ${row(item)}
      </li>`)}
    </ul>
  </div>`;
}

// Keys of a list whose rows open beside it. Without an open row, j and k start from `focused`.
export function useListKeys({ items, selected, open, close, focused = () => -1, onKey }) {
  useEffect(() => {
    const onKeyDown = (event) => {
      onKey?.(event);
      if (ignoresShortcuts(event)) return;
      const next = items[nextIndex(event.key, selected < 0 ? focused() : selected, items.length)];
      if (next) open(next);
      else if (event.key === "Escape") close();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
}

// Where j and k lead, or -1 for every other key.
function nextIndex(key, index, count) {
  if (!count) return -1;
  if (key === "j") return Math.min(index + 1, count - 1);
  return key === "k" ? Math.max(index - 1, 0) : -1;
}
