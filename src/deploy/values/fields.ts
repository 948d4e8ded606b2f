import { z } from 'zod';
import { text } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';

/** So long that the longest name made of it, with `-inference-canary` and the like, is a label. */
const mostLetters = 42;
/** A label of DNS (RFC 1123) has as many letters at the most, and the value of a label. */
const mostOfLabel = 63;
const mostOfSubdomain = 253;
const mostOfImage = 512;

/** A name of lower-case letters, digits and hyphens, as DNS and Kubernetes have it. */
export function dnsLabel(what: string, example: string, most = mostOfLabel) {
  return text(what).regex(new RegExp(`^(?=.{1,${most}}$)${labelPattern}$`), {
    error: (issue) =>
      isNot(issue.input, `${what}: lower-case letters, digits and hyphens, ${most} at most, such as ${example}`),
  });
}

/** What everything that is made is called after; Services begin with a letter (RFC 1035, 2.3.1). */
export function releaseName(what: string, example: string) {
  return dnsLabel(what, example, mostLetters).regex(/^(?!\d)/, {
    error: (issue) => isNot(issue.input, `${what}: it begins with a letter, as in ${example}`),
  });
}

/** Labels of DNS with points between them. */
export function dnsName(what: string, example: string) {
  return text(what).regex(new RegExp(`^(?=.{1,${mostOfSubdomain}}$)${labelsPattern}$`), {
    error: (issue) =>
      isNot(issue.input, `${what}: labels of lower-case letters, digits and hyphens, such as ${example}`),
  });
}

/** A name that learners' machines look up: no address, which no route of the Gateway API takes. */
export function publicHost(example: string) {
  return dnsName('a host name', example).refine((given) => !/^[\d.]+$/.test(given), {
    error: (issue) => isNot(issue.input, `a host name such as ${example}: routes take no addresses`),
  });
}

/**
 * An image with a tag or a digest: what has neither is another image each day. The host of a
 * registry may have upper-case letters and a port, what stands behind it may not.
 */
export function imageReference(example: string) {
  const host = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\\d{1,5})?';
  const part = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
  const tag = ':\\w[\\w.-]{0,127}';
  const digest = '@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128}';
  const pattern = `^(?=.{1,${mostOfImage}}$)(?:${host}/)?${part}(?:/${part})*(?:${tag})?(?:${digest})?$`;
  return text('an image').regex(new RegExp(`(?=.*(?:${tag}|@[^/]*)$)${pattern}`), {
    error: (issue) => isNot(issue.input, `an image with a tag, or a digest of sha256, such as ${example}`),
  });
}

/** Cores that are a pod's own: no part of one can be. */
export function wholeCores(most: number) {
  const error = (issue: { input?: unknown }) =>
    isNot(issue.input, `a number of whole cores from 1 to ${most}, such as 2: no part of a core is a pod's own`);
  return z.number({ error }).int({ error, abort: true }).min(1, { error }).max(most, { error });
}

/** A whole number of Mi or Gi. */
export function quantity(example: string) {
  return text(`a quantity such as ${example}`).regex(/^[1-9]\d{0,7}(Mi|Gi)$/, {
    error: (issue) => isNot(issue.input, `a whole number of Mi or Gi such as ${example}`),
  });
}

/** The key of a label of Kubernetes: a name, or a domain, a slash and a name. */
export function nodeLabelKey(example: string) {
  const pattern = new RegExp(`^(?:(?=[^/]{1,${mostOfSubdomain}}/)${labelsPattern}/)?${valuePattern}$`);
  return text('the key of a label').regex(pattern, {
    error: (issue) => isNot(issue.input, `the key of a label such as ${example}`),
  });
}

/** The value of a label of Kubernetes. */
export function nodeLabelValue(what: string, example: string) {
  return text(what).regex(new RegExp(`^${valuePattern}$`), {
    error: (issue) =>
      isNot(
        issue.input,
        `${what}: letters, digits, "-", "_" and ".", ${mostOfLabel} at most, the first and the last a letter or digit, such as ${example}`,
      ),
  });
}

/** Everybody who may read the manifests reads the address, so it has no password in it. */
export function openUrl(what: string, example: string) {
  return text(what)
    .regex(/^https?:\/\/[^\s"'\\]+$/, { error: (issue) => isNot(issue.input, `an address such as ${example}`) })
    .refine(URL.canParse, { error: (issue) => isNot(issue.input, `an address such as ${example}`), abort: true })
    .refine((given) => new URL(given).username === '' && new URL(given).password === '', {
      error: () => `has a user or a password in it, which would stand in the manifests; write it as ${example}`,
    });
}

/** As a NetworkPolicy takes them, of both families. */
export const addressRange = text('a range of addresses').refine(
  (given) => z.union([z.cidrv4(), z.cidrv6()]).safeParse(given).success,
  {
    error: (issue) => isNot(issue.input, 'a range of addresses such as 10.96.0.1/32 or fd00::1/128'),
  },
);

const labelPattern = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const labelsPattern = `${labelPattern}(?:\\.${labelPattern})*`;
const valuePattern = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
