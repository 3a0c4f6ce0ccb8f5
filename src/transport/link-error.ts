/** What went wrong between two devices, for code to decide on; the message is for people. */
export type LinkErrorCode =
  /** The room link is not one. */
  | 'bad-room-link'
  /** The signalling server cannot be reached, or refused this device. */
  | 'signalling-failed'
  /** Nobody answers to that id. */
  | 'peer-unavailable'
  /** The two devices found no network path to each other. */
  | 'no-path'
  | 'timeout'
  | 'version-mismatch'
  | 'wrong-key'
  /** Who is at the other end is not who they were said to be, or someone is in between. */
  | 'wrong-identity'
  /** The other side refused this one, and said why. */
  | 'refused'
  /** The other side sent something that breaks the protocol. */
  | 'bad-message'
  /** This side asked for something the link does not do. */
  | 'bad-request'
  | 'closed';

export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
