// What the broker's names are for the ends of a submitter's tasks: topic, subscriber and subscription follow from its number.

/** Topic on which the ends of a submitter's tasks are published. */
export function endsTopic(submitter: number): string {
  return `tasks/ended/${submitter}`;
}

const endsTopicPattern = /^tasks\/ended\/(\d{1,15})$/;

/** The submitter whose ends are published on the topic, −1 if it is another one. */
export function submitterOf(topic: string): number {
  return Number(endsTopicPattern.exec(topic)?.[1] ?? -1);
}

/** The submitter as the broker knows it, and its subscription to that topic. */
export function endsSubscriber(submitter: number): string {
  return `submitter/${submitter}`;
}

export function endsSubscription(submitter: number): string {
  return `submitter/${submitter}/ends`;
}
