/** The face of a device: what joins a room. */
export { joinRoom } from './join-room.ts';
