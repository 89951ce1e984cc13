import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import './styles/screens.css'
import { render } from 'preact'
import { App } from './app'
import { startRouter } from './router'
import { startTheme } from './theme'

startTheme()
startRouter()
render(<App />, document.getElementById('app')!)
