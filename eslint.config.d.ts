/** The tables of eslint.config.js that its test reads. */
type RoomTable = Readonly<Record<string, readonly string[]>>
export const mayImport: RoomTable
export const mayImportTypes: RoomTable
export const testsMayImport: RoomTable
export const doors: readonly { readonly libraries: readonly string[]; readonly rooms: readonly string[] }[]
export const pureRooms: readonly string[]
export const browserGlobals: readonly string[]
