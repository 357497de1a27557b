// The page's JavaScript example; trust comes from NODE_EXTRA_CA_CERTS.
const origin = process.env.MSGINE_ORIGIN ?? 'https://api.msgine.net'

const response = await fetch(`${origin}/api/v1/messages/sms`, {
  method: 'POST',
  headers: {
    'Authorization': `Bearer ${process.env.MSGINE_TOKEN}`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    to: '+256701234567',
    message: 'Hello from MsGine!'
  })
})

const data = await response.json()
console.log(JSON.stringify(data))
