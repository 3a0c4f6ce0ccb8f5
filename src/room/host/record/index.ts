/** The face of the record: what a host keeps to be itself again after a reload. */
export { createRecordKeeper } from './record-keeper.ts';
export {
  type AskedRecord,
  findRoomRecord,
  forgetRoomRecord,
  type RoomRecord,
} from './room-record.ts';
