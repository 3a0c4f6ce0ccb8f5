/** The face of the host: what opens a room, and takes one up again after a reload. */
export { openRoom } from './open-room.ts';
export { findRoomRecord, type RoomRecord } from './saved-room/index.ts';
