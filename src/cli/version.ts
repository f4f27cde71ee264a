/** The version that the package declares: bundled, so that the executable knows it. */
import packageJson from '../../package.json' with { type: 'json' }

export const VERSION = packageJson.version
