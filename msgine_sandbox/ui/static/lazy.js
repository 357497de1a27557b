// Parts of the page that are loaded when they are first shown, because most people see few of them.
import { html, useEffect, useState } from "./preact.js";

// Return a component that stands for one that a module exports under a name, as in
// `lazy(() => import("./email.js"), "Email")`.
export function lazy(load, name) {
  let Component = null;
  return (props) => {
    const [, setLoaded] = useState(Component !== null);
    const [error, setError] = useState(null);
    useEffect(() => {
      if (Component) return;
      load().then((module) => {
        Component = module[name];
        setLoaded(true);
      }).catch(setError);
    }, []);
    if (error) throw error; // for the error boundary around every view
    if (!Component) return html`<p class="empty" aria-busy="true">Loading …</p>`;
    return html`<${Component} ...${props} />`;
  };
}
