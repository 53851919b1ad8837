/** Type numbers of all messages. Append-only; 0 is never valid. */
export const MESSAGE_TYPE = {
  rosterEntry: 1,
  grant: 2,
  kitShare: 3,
  session: 4,
  chainEntry: 5,
  record: 6,
  artifactIndex: 7,
  secretBlob: 8,
  deviceSecrets: 9,
} as const
