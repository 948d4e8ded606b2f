/** Labels by which traces can be split. */
export const splitLabels = ['profile', 'language', 'device'] as const;
export type SplitLabel = (typeof splitLabels)[number];
