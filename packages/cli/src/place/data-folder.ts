/** Where a user's data is kept, by the custom of the platform. */
import { posix, win32 } from 'node:path'
import type { World } from '../terminal/world.ts'

export type Platform = Pick<World, 'env' | 'home' | 'platform'>

export function defaultStore({ env, home, platform }: Platform): string {
  if (platform === 'win32') {
    return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), 'Holdfast', 'holdfast.db')
  }
  if (platform === 'darwin')
    return posix.join(home, 'Library', 'Application Support', 'Holdfast', 'holdfast.db')
  return posix.join(xdgDataHome(env) ?? posix.join(home, '.local', 'share'), 'holdfast', 'holdfast.db')
}

/** A relative one is to be passed over, the specification says. */
function xdgDataHome({ XDG_DATA_HOME: folder }: Platform['env']): string | undefined {
  return folder && posix.isAbsolute(folder) ? folder : undefined
}
