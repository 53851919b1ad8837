import { testGoldenStreams } from '../support/golden-page'

testGoldenStreams('webgpu')
