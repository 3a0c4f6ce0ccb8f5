/** Raised when two versions could misunderstand each other; a link refuses a different one. */
export const roomProtocolVersion = 4;
