// What a storage of the browser has, whatever somebody else has put there.

export function kept(storage, name) {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}
