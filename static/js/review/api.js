// The server, with a deadline on every call and one word for each way in which a call can fail.

/**
 * Why a call failed.
 * - `network`: no answer (also past the deadline): try again
 * - `server`: the server is in trouble, or what answered was not it: try again after `retryAfter` seconds
 * - `signed-out`: log in again; nothing was changed
 * - `conflict`: 409, the newer state is in `body.current`
 * - `refused`: it will never be accepted as it is; `message` says why
 */
export class ApiError extends Error {
  constructor(kind, message, { status = 0, body = null, retryAfter = null } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.body = body;
    this.retryAfter = retryAfter;
  }
  get retryable() {
    return this.kind === "network" || this.kind === "server";
  }
}

const NOT_OURS = "what answered is not MAD Web, perhaps the log-in page of the network";

function csrfToken() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
}

async function jsonOf(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function reasonIn(body) {
  if (!body) return "";
  if (typeof body === "string") return body;
  if (body.error || body.detail) return String(body.error || body.detail);
  return Object.entries(body)
    .map(([field, told]) => `${field}: ${[told].flat().join(" ")}`)
    .join("; ");
}

/**
 * @param {{base: string, session: string, user: number, deadlineMs?: number}} options `base` of the API, `session`
 *   address that says who is logged in, `user` the one whose page this is
 */
export function createApi({ base, session, user, deadlineMs = 15000 }) {
  async function once(method, path, body, keepalive) {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), "X-Reviewer": String(user) };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    try {
      return await fetch(base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        keepalive,
        signal: AbortSignal.timeout(deadlineMs),
      });
    } catch (error) {
      const late = error.name === "TimeoutError";
      throw new ApiError("network", late ? `no answer in ${deadlineMs / 1000} s` : "no connection");
    }
  }

  async function whoIsLoggedIn() {
    try {
      const response = await fetch(session, { cache: "no-store", signal: AbortSignal.timeout(deadlineMs) });
      return (await response.json()).user;
    } catch {
      throw new ApiError("network", "no connection");
    }
  }

  async function call(method, path, body, { keepalive = false } = {}) {
    let response = await once(method, path, body, keepalive);
    if (response.status === 401 || response.status === 403) {
      if ((await whoIsLoggedIn()) !== user) throw new ApiError("signed-out", "you are logged out");
      response = await once(method, path, body, keepalive); // the token had changed: logged in again elsewhere
    }
    if (response.status === 401) throw new ApiError("signed-out", "you are logged out");
    if (response.status === 204) return null;
    const answer = await jsonOf(response);
    if (response.ok && answer) return answer;
    const told = { status: response.status, body: answer, retryAfter: Number(response.headers.get("Retry-After")) || null };
    // Only JSON is the server's own word: a page comes from what stands between, and settles nothing.
    if (response.ok) throw new ApiError("server", NOT_OURS, told);
    const reason = reasonIn(answer) || `the server answered ${response.status}`;
    if (!answer || response.status >= 500 || response.status === 429) throw new ApiError("server", reason, told);
    if (response.status === 409 && answer.current) throw new ApiError("conflict", reason, told);
    throw new ApiError("refused", reason, told);
  }

  /** JSON of a page outside the API. */
  async function page(address) {
    const response = await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(deadlineMs) }).catch(() => {
      throw new ApiError("network", "no connection");
    });
    if (response.redirected || response.status === 401) throw new ApiError("signed-out", "you are logged out");
    const answer = await jsonOf(response);
    if (response.ok && answer) return answer;
    throw new ApiError(response.ok || response.status >= 500 ? "server" : "refused", response.ok ? NOT_OURS : `the server answered ${response.status}`);
  }

  /**
   * Log the same person in again.
   * @returns {Promise<string>} why that did not work; empty where it did
   */
  async function logIn(url, name, password) {
    const asked = { credentials: "same-origin", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(deadlineMs) };
    await fetch(url, asked); // brings the CSRF cookie
    const form = new URLSearchParams({ username: name, password });
    const answer = await fetch(url, { ...asked, method: "POST", body: form, headers: { "X-CSRFToken": csrfToken() } });
    if (answer.status >= 500) return `The server answered ${answer.status}: try again in a moment.`;
    const loggedIn = await whoIsLoggedIn();
    if (loggedIn === user) return "";
    return loggedIn ? "Somebody else is logged in in this browser now: log out there first." : "The password does not match.";
  }

  return {
    user,
    logIn,
    whoIsLoggedIn,
    get: (path) => call("GET", path),
    page,
    put: (path, body) => call("PUT", path, body),
    post: (path, body, options) => call("POST", path, body, options),
    del: (path, options) => call("DELETE", path, undefined, options),
  };
}
