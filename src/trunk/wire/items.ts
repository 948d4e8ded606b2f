import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  Feedback,
  FeedbackSchema,
  GatewayItem,
  GatewayItemSchema,
  NodeItem,
  NodeItemSchema,
  Timing,
} from './speechfb/v1/inference_pb.ts';

/** One thing that a gateway says, its messages as plain objects. */
export type SentGatewayItem = NonNullable<MessageInitShape<typeof GatewayItemSchema>['item']>;

/** One thing that a node says, its messages as plain objects. */
export type SentNodeItem =
  | Exclude<NonNullable<MessageInitShape<typeof NodeItemSchema>['item']>, { case: 'feedback' }>
  | { case: 'feedback'; value: SentFeedback };

export type SentFeedback = Omit<MessageInitShape<typeof FeedbackSchema>, 'marks'> & {
  marks?: readonly number[];
};

/** One thing that a node hears; no case: an item of a later minor. */
export type HeardGatewayItem = GatewayItem['item'];

/** One thing that a gateway hears; no case: an item of a later minor. */
export type HeardNodeItem =
  | Exclude<NodeItem['item'], { case: 'feedback' }>
  | { case: 'feedback'; value: HeardFeedback };

export type HeardFeedback = Omit<Feedback, '$typeName' | '$unknown' | 'timing'> & {
  timing?: Omit<Timing, '$typeName' | '$unknown'> | undefined;
};
