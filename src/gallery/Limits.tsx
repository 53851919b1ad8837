/** What Safelight does not defend against, in the same breath as what it does. */
import './limits.css'

export function Limits() {
  return (
    <ul className="limits">
      <li>
        <strong>Somebody at your unlocked device</strong> sees what you see. Your keys lie in this browser’s
        profile: whoever copies it can open your photos.
      </li>
      <li>
        <strong>Whoever finds your 24 words</strong> has your photos. Keep the paper as you keep a passport.
      </li>
      <li>
        <strong>Losing every device and the words</strong> loses the photos. Nobody can reset anything.
      </li>
      <li>
        <strong>Whoever changes the app</strong> that this address serves could change what it does.
      </li>
      <li>
        <strong>The vault’s keeper</strong> can delete artifacts, and sees how many there are, how large, and
        when they came. Never what is in them.
      </li>
    </ul>
  )
}
