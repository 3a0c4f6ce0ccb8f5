/** The version of the transport's own messages. Devices of different versions part at the handshake. */
export const protocolVersion = 1;
