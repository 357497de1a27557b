// For json-server: data of a module stays in memory; of a JSON file it would write all again with each message.
module.exports = () => ({
  messages: [{ id: "first", to: "+256701234567", message: "Your code is 000000" }],
});
