/** The face of the record: what a host tab keeps so that it is the same host after a reload. */
export { createRecordWriter } from './record-writer.ts';
export {
  type AskedRecord,
  findRoomRecord,
  forgetRoomRecord,
  type RoomRecord,
} from './room-record.ts';
