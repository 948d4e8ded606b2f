/**
 * Every URL in a text as it may be shown: without user and password, values of its query and its
 * fragment, which may be keys. What is printed as an error passes through here.
 */
export function redactUrls(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]{0,40}:\/\/[^\s"'<>`\\]+/gi, (found) => {
    const end = urlEnd(found);
    return redactUrl(found.slice(0, end)) + found.slice(end);
  });
}

/** Where a URL ends that a sentence goes on behind. By hand: `/[.,:;)\]]+$/` is quadratic. */
function urlEnd(found: string): number {
  let end = found.length;
  while ('.,:;)]'.includes(found[end - 1]!)) end--;
  return end;
}

/** One URL, or what somebody took for one, as it may be shown; `${env:NAME}` is no secret. */
export function redactUrl(given: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/|\/\/)?(.*)$/is.exec(given.trim()) ?? [];
  const at = userEnd(given, rest);
  const user = at < 0 ? '' : rest.slice(0, at);
  const hidden = user === '' || /^(\$\{env:\w+\}:?)+$/.test(user) ? user : shownSecret;
  const behind = rest.slice(at + 1);
  const queryAt = behind.search(/[?#]/);
  const place = `${scheme}${hidden}${at < 0 ? '' : '@'}`;
  return queryAt < 0 ? `${place}${behind}` : `${place}${behind.slice(0, queryAt)}${redactQuery(behind.slice(queryAt))}`;
}

/**
 * A text without secrets that are known, in whatever another program says of them; one of fewer
 * than 4 characters is in every text.
 */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, shownSecret), text);
}

/** What stands in the place of a secret. */
const shownSecret = '***';

/**
 * Where user and password end: an `@` of a path ends none, but in what is no URL anything before
 * the last may be a password.
 */
function userEnd(given: string, rest: string): number {
  const authority = rest.slice(0, rest.search(/[/?#]|$/));
  return (isUrl(given, authority) ? authority : rest).lastIndexOf('@');
}

/** A URL may name several hosts, as those of sentinels and clusters do: `x://user@a:1,b:2/path`. */
function isUrl(given: string, authority: string): boolean {
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
  return hosts.every((host) => {
    const one = given.replace(authority, () => authority.slice(0, authority.lastIndexOf('@') + 1) + host);
    return URL.canParse(one) && new URL(one).host !== '';
  });
}

/** `?key=***&***#***`: a part without a name may be the key itself. */
function redactQuery(text: string): string {
  const [query = '', ...fragments] = text.split('#');
  const parts = query.slice(1).split('&').map(redactPart).join('&');
  const shown = query === '' ? '' : `?${parts}`;
  return fragments.length === 0 ? shown : `${shown}#${fragments.join('') === '' ? '' : shownSecret}`;
}

function redactPart(part: string): string {
  const equals = part.indexOf('=');
  const [name, value] = equals < 0 ? ['', part] : [part.slice(0, equals + 1), part.slice(equals + 1)];
  return `${name}${value === '' || /^(\$\{env:\w+\})+$/.test(value) ? value : shownSecret}`;
}
