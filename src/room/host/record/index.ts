/** The face of the record: what a host tab keeps so that it is the same host after a reload. */
export { createRecordKeeper } from './record-keeper.ts';
export {
  type AskedRecord,
  findRoomRecord,
  forgetRoomRecord,
  type RoomRecord,
} from './room-record.ts';
