import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  Feedback,
  FeedbackSchema,
  GatewayItem,
  GatewayItemSchema,
  NodeItem,
  NodeItemSchema,
  Sound,
  SoundSchema,
  Timing,
} from './speechfb/v1/inference_pb.ts';

/** One thing that a gateway says, its messages as plain objects. */
export type SentGatewayItem = NonNullable<MessageInitShape<typeof GatewayItemSchema>['item']>;

/** One thing that a node says, its messages as plain objects. */
export type SentNodeItem = NonNullable<MessageInitShape<typeof NodeItemSchema>['item']>;

export type SentSound = MessageInitShape<typeof SoundSchema>;
export type SentFeedback = MessageInitShape<typeof FeedbackSchema>;

/** One thing that a node hears; no case: an item of a later minor. */
export type HeardGatewayItem = Exclude<GatewayItem['item'], { case: 'sound' }> | { case: 'sound'; value: HeardSound };

/** One thing that a gateway hears; no case: an item of a later minor. */
export type HeardNodeItem =
  | Exclude<NodeItem['item'], { case: 'feedback' }>
  | { case: 'feedback'; value: HeardFeedback };

export type HeardSound = Omit<Sound, '$typeName' | '$unknown'>;

export type HeardFeedback = Omit<Feedback, '$typeName' | '$unknown' | 'timing'> & {
  timing?: Omit<Timing, '$typeName' | '$unknown'> | undefined;
};
