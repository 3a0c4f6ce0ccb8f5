/** A device's colour is a custom property of `tokens.css`, chosen by its place in the order of joining. */
const colours = 7;

export interface DeviceColour {
  fill: string;
  /** Text that reads on `fill`. */
  text: string;
}

/** `id` is `host`, or a letter: `a`, `b`, …, `z`, `aa`, … */
export function deviceColour(id: string): DeviceColour {
  const name = id === 'host' ? 'host' : String(joiningOrder(id) % colours);
  return { fill: `var(--device-${name})`, text: `var(--on-device-${name})` };
}

function joiningOrder(id: string): number {
  let order = 0;
  for (const letter of id.toLowerCase()) order = order * 26 + (letter.charCodeAt(0) - 96);
  return Math.max(0, order - 1);
}
