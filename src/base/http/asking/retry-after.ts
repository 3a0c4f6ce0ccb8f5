/**
 * How long a busy server asks to be left alone: `Retry-After` as seconds or as a date (RFC 9110, 10.2.3), or
 * the `RateLimit` header of Hugging Face's hub (huggingface_hub, utils/_http.py, parse_ratelimit_headers).
 *
 * @param nowMs this device's time, for servers that do not show theirs
 * @returns milliseconds; null if the server does not say, or says it in a header that the page cannot read
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const until = dateOf(text);
  // The two clocks may differ, so the date is compared with the server's own.
  if (until !== null) return Math.max(0, until - (dateOf(headers.get('date') ?? '') ?? nowMs));
  return rateLimitMs(headers.get('ratelimit') ?? '');
}

/** Dates of the three forms that RFC 9110 knows. A bare number would be read as a year. */
function dateOf(text: string): number | null {
  if (!/[A-Za-z]{3}.*\d:\d\d/.test(text)) return null;
  const ms = Date.parse(/GMT|UTC|[+-]\d{4}/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(ms) ? null : ms;
}

/** Such as `"api";r=0;t=55`: the requests left, and the seconds until they are renewed. */
function rateLimitMs(text: string): number | null {
  const limit = /;\s*r\s*=\s*(\d+)\s*;\s*t\s*=\s*(\d+)/.exec(text);
  // Every answer of the hub states it. A limit that is not used up is not the reason.
  return limit?.[1] === '0' ? (Number(limit[2]) + 1) * 1000 : null;
}
