// Where the sandbox is: "" or the path under which a proxy serves it, such as "/sandbox".
export const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
